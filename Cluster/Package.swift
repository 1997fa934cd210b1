// swift-tools-version: 6.1
import PackageDescription

// Training over MPI: a package of its own, so that builds of the toolkit need no MPI. It builds into the toolkit's own build folder, where
// the rooms are built already:
// swift test -c release --package-path Cluster --scratch-path .build
let package = Package(
    name: "kotonoha-cluster",
    products: [.executable(name: "kotonoha-mpi", targets: ["kotonoha-mpi"])],
    dependencies: [
        .package(name: "kotonoha", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
        .executableTarget(
            name: "kotonoha-mpi",
            dependencies: [
                "CMPI", .product(name: "Kotonoha", package: "kotonoha"), .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(name: "MPITests", dependencies: ["kotonoha-mpi", .product(name: "Kotonoha", package: "kotonoha")]),
    ],
    swiftLanguageModes: [.v6]
)
