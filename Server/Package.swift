// swift-tools-version: 6.1
import PackageDescription

// The server: a package of its own, so that builds of the toolkit do not pay for an HTTP library. tools/test builds it into the toolkit's own build
// folder, where the rooms are built already.
let package = Package(
    name: "kotonoha-server",
    products: [.executable(name: "kotonoha-serve", targets: ["kotonoha-serve"])],
    dependencies: [
        .package(name: "kotonoha", path: ".."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.0.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.0.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(name: "CServing", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "Serving",
            dependencies: [
                "CServing",
                .product(name: "Kotonoha", package: "kotonoha"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ], resources: [.embedInCode("openapi.json")]),
        .executableTarget(
            name: "kotonoha-serve",
            dependencies: [
                "Serving", .product(name: "ServiceOptions", package: "kotonoha"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // Not installed: sends requests at times fixed beforehand, and keeps a log of what came back.
        .executableTarget(name: "load-client", dependencies: [.product(name: "ArgumentParser", package: "swift-argument-parser")]),
        .testTarget(name: "ServingTests", dependencies: ["Serving"]),
    ],
    swiftLanguageModes: [.v6]
)
