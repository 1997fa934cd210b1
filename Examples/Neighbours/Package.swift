// swift-tools-version: 6.1
import PackageDescription

// A package that depends on Kotonoha as any other would; here by path.
let package = Package(
    name: "Neighbours",
    dependencies: [.package(name: "kotonoha", path: "../..")],
    targets: [.executableTarget(name: "Neighbours", dependencies: [.product(name: "Kotonoha", package: "kotonoha")])],
    swiftLanguageModes: [.v6]
)
