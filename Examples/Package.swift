// swift-tools-version: 6.1
import PackageDescription

// A package that depends on Kotonoha as any other would; here by path. One folder is one program.
let package = Package(
    name: "kotonoha-examples",
    dependencies: [.package(name: "kotonoha", path: "..")],
    targets: ["Neighbours", "Map", "VectorFile", "Probe", "Training"].map { (name: String) in
        .executableTarget(name: "Example\(name)", dependencies: [.product(name: "Kotonoha", package: "kotonoha")], path: name)
    },
    swiftLanguageModes: [.v6]
)
