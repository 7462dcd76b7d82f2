package import MusterBytes

/// The address of a tile: up to 256 neighbouring hashes of one level of the tree, every eighth level having tiles.
///
/// The layout is that of C2SP tlog-tiles: `tile/<L>/<N>[.p/<W>]`.
package struct Tile: Hashable, Sendable {
  package static let height = 8
  package static let fullWidth = 256

  /// 0 has the hashes of leaves, 1 those of full tiles of level 0, and so on.
  package var level: Int
  package var index: UInt64
  /// How many hashes it holds, 1 to 256.
  package var width: Int

  package init(level: Int, index: UInt64, width: Int = Tile.fullWidth) {
    self.level = level
    self.index = index
    self.width = width
  }

  /// The incomplete tiles at the right edge of a tree, the leaves' first.
  package static func partial(of size: UInt64) -> [Tile] {
    var found: [Tile] = []
    var level = 0
    var hashes = size
    while hashes > 0 {
      let width = Int(hashes % UInt64(fullWidth))
      hashes /= UInt64(fullWidth)
      if width > 0 { found.append(Tile(level: level, index: hashes, width: width)) }
      level += 1
    }
    return found
  }

  package var isFull: Bool { width == Tile.fullWidth }

  /// `tile/0/x001/x234/067`, `tile/1/000.p/12`.
  package var path: String {
    var groups: [String] = []
    var rest = index
    repeat {
      let digits = String(rest % 1000)
      groups.append((groups.isEmpty ? "" : "x") + String(repeating: "0", count: 3 - digits.count) + digits)
      rest /= 1000
    } while rest > 0
    return "tile/\(level)/" + groups.reversed().joined(separator: "/") + (isFull ? "" : ".p/\(width)")
  }

  /// The folders that hold it, the outermost first.
  package var folders: [String] {
    var found: [String] = []
    var names = path.split(separator: "/").dropLast()
    while !names.isEmpty {
      found.append(names.joined(separator: "/"))
      names.removeLast()
    }
    return found.reversed()
  }

  /// The bytes of a tile: its hashes one after the other.
  package static func encode(_ hashes: some Sequence<SHA256Value>) -> [UInt8] { hashes.flatMap(\.array) }

  /// The hashes in the bytes of a tile of this width; nil when there are more or fewer.
  package func decode(_ bytes: [UInt8]) -> [SHA256Value]? {
    guard bytes.count == width * SHA256Value.byteCount else { return nil }
    return bytes.withUnsafeBytes { raw in
      (0..<width).map { place in
        SHA256Value(UnsafeRawBufferPointer(rebasing: raw[(place * 32)..<(place * 32 + 32)]))
      }
    }
  }
}
