/// Times as text: RFC 3339, UTC, microseconds.
package enum Timestamp {
  private static let secondsPerDay: Int64 = 86_400

  /// `2026-11-22T03:14:00.000000Z`
  package static func format(_ microseconds: UInt64) -> String {
    let seconds = Int64(clamping: microseconds / 1_000_000)
    let (year, month, day) = civil(fromDays: seconds / secondsPerDay)
    let rest = seconds % secondsPerDay
    let fields: [(value: Int64, width: Int, end: UInt8)] = [
      (year, 4, dash), (month, 2, dash), (day, 2, UInt8(ascii: "T")), (rest / 3600, 2, colon),
      (rest / 60 % 60, 2, colon), (rest % 60, 2, UInt8(ascii: ".")),
      (Int64(microseconds % 1_000_000), 6, UInt8(ascii: "Z")),
    ]
    let length = fields.reduce(0) { $0 + width(of: $1.value, atLeast: $1.width) + 1 }
    return String(unsafeUninitializedCapacity: length) { text in
      var end = 0
      for field in fields {
        let width = width(of: field.value, atLeast: field.width)
        var value = field.value
        for place in (end..<(end + width)).reversed() {
          text[place] = UInt8(48 + value % 10)
          value /= 10
        }
        text[end + width] = field.end
        end += width + 1
      }
      return end
    }
  }

  /// How many digits a number has; years beyond 9999 have more than four.
  private static func width(of number: Int64, atLeast minimum: Int) -> Int {
    var width = minimum
    var rest = number
    for _ in 0..<minimum { rest /= 10 }
    while rest > 0 {
      rest /= 10
      width += 1
    }
    return width
  }

  /// Microseconds since 1970 of an RFC 3339 time; nil when it is none. More than six digits of a second are cut off.
  package static func parse(_ text: String) -> UInt64? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, bytes[4] == dash, bytes[7] == dash, bytes[10] | 0x20 == UInt8(ascii: "t"),
      bytes[13] == colon, bytes[16] == colon, let year = number(bytes[0..<4]), let month = number(bytes[5..<7]),
      let day = number(bytes[8..<10]), let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]),
      let second = number(bytes[17..<19]), year >= 1970, (1...12).contains(month), day >= 1,
      day <= days(in: month, of: year), hour < 24, minute < 60, second <= 60
    else { return nil }
    var place = 19
    var micros: Int64 = 0
    if bytes[place] == UInt8(ascii: ".") {
      let start = place + 1
      place = start
      while place < bytes.count, isDigit(bytes[place]) { place += 1 }
      guard place > start else { return nil }
      for offset in 0..<6 { micros = micros * 10 + (start + offset < place ? Int64(bytes[start + offset] - 48) : 0) }
    }
    guard let offset = offset(bytes[place...]) else { return nil }
    let seconds = days(year, month, day) * secondsPerDay + hour * 3600 + minute * 60 + second - offset
    return seconds < 0 ? nil : UInt64(seconds) * 1_000_000 + UInt64(micros)
  }

  private static let dash = UInt8(ascii: "-")
  private static let colon = UInt8(ascii: ":")

  /// Seconds east of UTC of `Z`, `+02:00`, `-05:30`.
  private static func offset(_ bytes: ArraySlice<UInt8>) -> Int64? {
    let zone = Array(bytes)
    if zone.count == 1, zone[0] | 0x20 == UInt8(ascii: "z") { return 0 }
    guard zone.count == 6, zone[3] == colon, zone[0] == dash || zone[0] == UInt8(ascii: "+"),
      let hours = number(zone[1..<3]), let minutes = number(zone[4..<6]), hours < 24, minutes < 60
    else { return nil }
    return (hours * 3600 + minutes * 60) * (zone[0] == dash ? -1 : 1)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int64? {
    guard bytes.allSatisfy(isDigit) else { return nil }
    return bytes.reduce(0) { $0 * 10 + Int64($1 - 48) }
  }

  private static func isLeap(_ year: Int64) -> Bool { (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 }

  private static func days(in month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days from 1970-01-01, in the proleptic Gregorian calendar, with years that begin in March.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  private static func civil(fromDays days: Int64) -> (Int64, Int64, Int64) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }
}
