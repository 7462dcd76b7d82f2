internal import MusterLog
internal import MusterSimulatedDisk
internal import MusterWorkload

/// Stored bytes that are not what was written, and what puts them right again, as an operator would from a copy.
struct Damage {
  var fault: Fault
  var path: String
  var offset: Int
  var original: [UInt8]
}

/// Disks that rot, lose writes or write to the wrong place. What was durable is then gone, and one copy cannot bring it
/// back: the promise is that it is noticed, and that nothing wrong is ever shown.
extension Simulation {
  private func damage(_ fault: Fault, _ path: String, at offset: Int, _ bytes: [UInt8]) {
    guard let original = try? disk.read(path, at: offset, count: bytes.count), original != bytes else { return }
    damages.append(Damage(fault: fault, path: path, offset: offset, original: original))
    disk.overwrite(path, at: offset, bytes[...])
  }

  /// Puts everything right.
  func mendDamage() {
    for damage in damages.reversed() { disk.overwrite(damage.path, at: damage.offset, damage.original[...]) }
    if isDamaged { mendedAt = now }
    damages = []
  }

  /// What was read while there was damage may be answered a while later.
  var wasDamagedLately: Bool { isDamaged || mendedAt > 0 && now < mendedAt + 60_000_000 }

  /// A start was refused because of damage, as it must be.
  func refused() {
    for damage in damages {
      switch damage.fault {
      case .lostWrite: marks.sometimes(.lostWriteRefused)
      case .misdirectedWrite: marks.sometimes(.misdirectedWriteRefused)
      default: marks.sometimes(.rotRefusedAtStart)
      }
    }
    mendDamage()
  }

  // MARK: Rot

  /// A bit of something that was durable flips while the server runs.
  func rot() {
    guard damages.isEmpty, let server, server.inFlight == nil else { return }
    let log = ((try? disk.list(Layout.log)) ?? []).map { "\(Layout.log)/\($0)" }
    let snapshots = ((try? disk.list(Layout.snapshots)) ?? []).map { "\(Layout.snapshots)/\($0)" }
    let candidates = (log + snapshots).filter { $0 != Layout.spare && !$0.hasSuffix(".new") }
    guard !candidates.isEmpty else { return }
    let path = candidates[random.below(candidates.count)]
    var end = ((try? disk.size(path)) ?? nil) ?? 0
    // Behind the end of the log is nothing yet that could rot.
    if path == Layout.live(server.writer.segmentFirst) { end -= server.writer.preparedBytes }
    guard end > 0 else { return }
    let place = random.below(end)
    guard let byte = try? disk.read(path, at: place, count: 1).first else { return }
    damage(.rot, path, at: place, [byte ^ (1 << UInt8(random.below(8)))])
    schedule.plan(.relief(.rotIsMended), at: now + UInt64(2_000_000 + random.below(30_000_000)))
  }

  // MARK: Writes that went wrong

  /// While the server is down: a write that was durable, and is not the last, was never made, or was made elsewhere, or
  /// rots.
  func applyDamageAtRest() {
    guard let fault = damageAtRest else { return }
    damageAtRest = nil
    guard damages.isEmpty, let log = try? LogReader.open(disk, SimulatedServer.identity),
      let segment = log.segments.last, let live = segment.live
    else { return }
    let frames = live.blocks.dropLast().filter { $0.header.lastRevision <= oracle.last }
    guard frames.count >= 2 else { return }
    let lost = frames[frames.startIndex + random.below(frames.count)]
    if fault == .rot {
      let place = lost.offset + FrameHeader.byteCount + random.below(Int(lost.header.storedBytes))
      guard let byte = try? disk.read(segment.name.path, at: place, count: 1).first else { return }
      return damage(fault, segment.name.path, at: place, [byte ^ (1 << UInt8(random.below(8)))])
    }
    let length = Frame.aligned(FrameHeader.byteCount + Int(lost.header.storedBytes))
    if fault == .misdirectedWrite {
      let other = frames[frames.startIndex + random.below(frames.count)]
      let room = Frame.aligned(FrameHeader.byteCount + Int(other.header.storedBytes))
      guard other.offset != lost.offset,
        let bytes = try? disk.read(segment.name.path, at: lost.offset, count: min(length, room))
      else { return }
      damage(fault, segment.name.path, at: other.offset, bytes)
    }
    damage(fault, segment.name.path, at: lost.offset, [UInt8](repeating: 0, count: length))
  }
}
