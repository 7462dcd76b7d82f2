// swift-tools-version: 6.3
import PackageDescription

/// Language features that every target of ours is compiled with.
let features: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Deliberate bugs for the simulator to find (Sources/Bytes/Mutant.swift) exist only in builds that ask for them.
let mutants: [SwiftSetting] = Context.environment["MUSTER_MUTANTS"] == nil ? [] : [.define("MUTANTS")]

/// In CI a warning is an error.
let strict = features + mutants + (Context.environment["MUSTER_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)])

/// A target of ours: the folder has the design's name, the module carries the prefix.
///
/// - Parameter documents: files of the folder that are read by people and tests, not by the compiler.
func part(_ name: String, _ dependencies: [Target.Dependency], documents: [String] = []) -> Target {
  .target(
    name: "Muster" + name, dependencies: dependencies, path: "Sources/" + name, exclude: documents,
    swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: "Muster" + name + "Tests", dependencies: dependencies, path: "Tests/" + name + "Tests",
    swiftSettings: strict)
}

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")

let package = Package(
  name: "muster",
  products: [
    .library(name: "Journal", targets: ["MusterLog", "MusterDisk"]),
    .library(name: "Hosting", targets: ["MusterHosting", "MusterHostConformance"]),
    // What `torture` puts into LD_PRELOAD of the server.
    .library(name: "SkewedClock", type: .dynamic, targets: ["CSkewedClock"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    // Below the line: pure.
    .systemLibrary(name: "CLZ4", path: "Sources/CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "CZstd", path: "Sources/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CSQLite", path: "Sources/CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .target(name: "CMusterBytes", path: "Sources/CBytes"),
    part("Bytes", ["CMusterBytes", "CLZ4", "CZstd", "CZlib", crypto]),
    part(
      "Cluster", ["MusterBytes", .product(name: "HashTreeCollections", package: "swift-collections")],
      documents: ["Ranges.md", "Expressions/Expressions.md"]),
    part("Log", ["MusterBytes"], documents: ["FileFormats.md"]),
    part("Audit", ["MusterBytes", crypto], documents: ["Formats.md"]),
    part("Controllers", ["MusterBytes", "MusterCluster"]),
    part("Protocol", ["MusterBytes", "MusterCluster"], documents: ["Schema", "WireProtocol.md"]),
    part(
      "History", ["MusterBytes", "MusterLog", "MusterAudit", "MusterCluster", "MusterProtocol", "MusterRendering"],
      documents: ["Export/Exports.md", "Export/OCSF.md"]),
    part(
      "Kernel", ["MusterBytes", "MusterLog", "MusterCluster", "MusterControllers", "MusterHistory", "MusterProtocol"]),
    part("Hosting", [], documents: ["README.md"]),
    part("Peers", ["MusterBytes", "MusterCluster", "MusterProtocol", "MusterHosting"]),
    part("Consistency", []),
    part("Workload", ["MusterCluster", "MusterControllers"]),
    part("SimulatedDisk", ["MusterLog", "MusterWorkload"]),
    part(
      "CrashStates", ["MusterBytes", "MusterLog", "MusterCluster", "MusterHistory", "MusterWorkload"],
      documents: ["CrashStates.md"]),
    part(
      "Fuzzing",
      [
        "MusterBytes", "MusterLog", "MusterAudit", "MusterCluster", "MusterProtocol", "MusterHistory",
        "MusterCrashStates", "MusterWorkload",
      ], documents: ["Fuzzing.md"]),
    part(
      "Simulation",
      [
        "MusterBytes", "MusterLog", "MusterCluster", "MusterControllers", "MusterProtocol", "MusterHistory",
        "MusterKernel", "MusterPeers", "MusterHosting", "MusterSimulatedDisk", "MusterWorkload",
      ], documents: ["Mutants.md", "README.md"]),
    part("Rendering", ["MusterBytes", "MusterCluster"]),

    // The shell: threads, files, sockets.
    part("SQLite", ["CSQLite"]),
    part("Disk", ["MusterBytes", "MusterLog"], documents: ["README.md"]),
    .executableTarget(
      name: "journal-example", dependencies: ["MusterLog", "MusterDisk"], path: "Sources/JournalExample",
      packageAccess: false, swiftSettings: strict),
    part(
      "Vault", ["MusterBytes", "MusterCluster", "MusterKernel", "MusterLog", crypto], documents: ["README.md"]),
    part("Console", [nio, nioPosix, .product(name: "NIOHTTP1", package: "swift-nio")]),
    part(
      "Server",
      [
        "MusterBytes", "MusterLog", "MusterCluster", "MusterControllers", "MusterProtocol", "MusterHistory",
        "MusterKernel", "MusterDisk", "MusterAudit", "MusterConsole", nio, nioPosix,
      ]),
    part("Client", ["MusterBytes", "MusterCluster", "MusterProtocol", "MusterPeers", nio, nioPosix]),
    part("HostConformance", ["MusterHosting"]),
    part("Hosts", ["MusterBytes", "MusterHosting", crypto, nio, nioPosix], documents: ["Redis.md", "Directories.md"]),
    part(
      "Agent", ["MusterCluster", "MusterProtocol", "MusterPeers", "MusterClient", "MusterHosting", nioPosix]),
    .executableTarget(
      name: "muster",
      dependencies: [
        "MusterBytes", "MusterLog", "MusterCluster", "MusterControllers", "MusterProtocol", "MusterHistory",
        "MusterKernel", "MusterDisk", "MusterServer", "MusterConsole", "MusterClient", "MusterAgent", "MusterRendering",
        "MusterVault", "MusterWorkload", "MusterAudit", "MusterHosting", "MusterHosts", "MusterSQLite",
        "MusterSimulation", nio,
        nioPosix,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: features),

    .executableTarget(
      name: "import-openb",
      dependencies: [
        "MusterBytes", "MusterCluster", "MusterProtocol", "MusterClient", "MusterRendering",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tools/import-openb", swiftSettings: strict),

    .executableTarget(
      name: "redis-load",
      dependencies: [
        "MusterBytes", "MusterCluster", "MusterProtocol", "MusterClient", "MusterHosts", "MusterRendering",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tools/redis-load", swiftSettings: strict),

    // Proving.
    .executableTarget(
      name: "crash-states",
      dependencies: ["MusterCrashStates", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Sources/CrashStatesCommand", swiftSettings: strict),

    .executableTarget(
      name: "torture",
      dependencies: [
        "MusterBytes", "MusterCluster", "MusterProtocol", "MusterClient", "MusterConsistency", "MusterWorkload",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Sources/Torture", exclude: ["Torture.md"], swiftSettings: strict),

    .target(name: "CSkewedClock", path: "Sources/SkewedClock"),

    // Measuring.
    .executableTarget(name: "ceiling", path: "Benchmarks/Ceiling"),
    .executableTarget(
      name: "state-benchmark", dependencies: ["MusterBytes", "MusterCluster", "MusterControllers", "MusterWorkload"],
      path: "Benchmarks/StateBenchmark", swiftSettings: features),
    .executableTarget(
      name: "cost-guard",
      dependencies: [
        "MusterBytes", "MusterCluster", "MusterLog", "MusterProtocol", "MusterHistory", "MusterKernel",
        "MusterRendering", "MusterWorkload",
      ], path: "Benchmarks/CostGuard", exclude: ["check", "thresholds.json"], swiftSettings: strict),

    tests("Bytes", ["MusterBytes"]),
    tests("Audit", ["MusterBytes", "MusterAudit", "MusterWorkload"]),
    tests("Cluster", ["MusterBytes", "MusterCluster", "MusterControllers", "MusterWorkload"]),
    tests(
      "Schema",
      [
        "MusterBytes", "MusterLog", "MusterCluster", "MusterControllers", "MusterProtocol", "MusterHistory",
        "MusterWorkload",
      ]),
    tests("Peers", ["MusterPeers", "MusterProtocol", "MusterCluster", "MusterHosting"]),
    tests(
      "Kernel",
      [
        "MusterBytes", "MusterCluster", "MusterHistory", "MusterKernel", "MusterLog", "MusterProtocol",
        "MusterSimulatedDisk",
      ]),
    tests(
      "Simulation",
      [
        "MusterCluster", "MusterControllers", "MusterKernel", "MusterPeers", "MusterProtocol", "MusterSimulation",
        "MusterWorkload",
      ]),
    tests("Controllers", ["MusterCluster", "MusterControllers", "MusterWorkload"]),
    tests("Rendering", ["MusterBytes", "MusterCluster", "MusterRendering"]),
    tests("Protocol", ["MusterBytes", "MusterCluster", "MusterProtocol", "MusterWorkload"]),
    tests(
      "History",
      [
        "MusterBytes", "MusterLog", "MusterAudit", "MusterCluster", "MusterProtocol", "MusterHistory",
        "MusterRendering",
        "MusterSimulatedDisk",
        "MusterWorkload",
      ]),
    tests("Log", ["MusterBytes", "MusterLog", "MusterSimulatedDisk", "MusterWorkload"]),
    // The programs themselves: what they decide alone, and how they behave as processes.
    .testTarget(
      name: "MusterCommandTests",
      dependencies: [
        "muster", "MusterClient", "MusterCluster", "MusterDisk", "MusterHistory", "MusterLog", "MusterProtocol",
      ], path: "Tests/MusterTests", swiftSettings: strict),
    .testTarget(
      name: "MusterEndToEndTests",
      dependencies: [
        "muster", "import-openb", "redis-load", "torture", "MusterBytes", "MusterCluster", "MusterDisk", "MusterLog",
        "MusterSQLite",
      ], path: "Tests/EndToEndTests",
      swiftSettings: strict),
    .testTarget(
      name: "MusterFuzzingTests", dependencies: ["MusterFuzzing", "MusterWorkload"], path: "Tests/FuzzingTests",
      exclude: ["Corpus"], swiftSettings: strict),
    tests("Consistency", ["MusterConsistency", "MusterWorkload"]),
    tests("CrashStates", ["MusterCrashStates", "MusterLog"]),
    tests("Hosts", ["MusterBytes", "MusterHosting", "MusterHosts", "MusterHostConformance"]),
    tests("Vault", ["MusterKernel", "MusterLog", "MusterSimulatedDisk", "MusterVault", "MusterWorkload"]),
    tests("Disk", ["MusterBytes", "MusterLog", "MusterDisk", "journal-example"]),
    tests(
      "Server",
      [
        "MusterBytes", "MusterLog", "MusterCluster", "MusterProtocol", "MusterKernel", "MusterDisk", "MusterServer",
        "MusterConsole", "MusterWorkload", "MusterClient", nio, nioPosix,
      ]),
  ],
  swiftLanguageModes: [.v6]
)

// A program of libFuzzer has no main of ours, and needs flags for every module: only `Tools/fuzz` builds it.
if Context.environment["MUSTER_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: ["MusterFuzzing"], path: "Sources/FuzzCommand",
      swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}
