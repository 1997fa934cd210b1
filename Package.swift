// swift-tools-version: 6.1
import PackageDescription

// Rooms from the ground up; a room imports only rooms below it. docs/architecture.md walks through them.
let package = Package(
    name: "kotonoha",
    products: [
        .library(name: "Kotonoha", targets: ["Kotonoha"]),
        .executable(name: "kotonoha", targets: ["kotonoha"]),
        // For the package in Server.
        .library(name: "ServiceOptions", targets: ["ServiceOptions"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
    ],
    targets: [
        // Ground floor: C libraries and vector loops.
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5-serial", providers: [.apt(["libhdf5-dev"])]),
        .target(name: "CHDF5Driver", dependencies: ["CHDF5"]),
        .target(name: "CConfinement"),
        .target(name: "CArguments"),
        .target(name: "CMapping"),
        .systemLibrary(name: "CLAPACK", pkgConfig: "lapacke", providers: [.apt(["liblapacke-dev", "libopenblas-dev"])]),
        .systemLibrary(name: "CMeCab", providers: [.apt(["libmecab-dev"])]),
        .systemLibrary(name: "COniguruma", pkgConfig: "oniguruma", providers: [.apt(["libonig-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
        .systemLibrary(name: "CXlsxWriter", pkgConfig: "xlsxwriter", providers: [.apt(["libxlsxwriter-dev"])]),
        .systemLibrary(name: "CLinux"),
        .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),
        .systemLibrary(name: "CCairo", pkgConfig: "cairo", providers: [.apt(["libcairo2-dev"])]),
        .systemLibrary(name: "CPango", providers: [.apt(["libpango1.0-dev"])]),
        .systemLibrary(name: "CKissFFT", providers: [.apt(["libkissfft-dev"])]),
        .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dnnl"), .linkedLibrary("dl")]),
        .target(name: "CUnicodeTables"),
        .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),

        // First floor: arrays, and bytes to values.
        .target(name: "Tensors", dependencies: ["COneDNN", "CKernels", "CLAPACK"]),
        .target(
            name: "FileFormats", dependencies: ["CLinux", "CMapping", "CZip", "CZlib", "CExpat", "CXlsxWriter", "CCrypto", "CSimdJSON"]),

        // Second floor.
        .target(name: "Autograd", dependencies: ["Tensors"]),
        .target(name: "Tokenizers", dependencies: ["FileFormats", "CMeCab", "COniguruma", "CUnicodeTables"]),
        .target(name: "VectorStore", dependencies: ["Tensors", "FileFormats", "CHDF5", "CHDF5Driver", "CConfinement"]),
        .target(name: "Statistics", dependencies: ["Tensors", "FileFormats", "CLAPACK"]),
        .target(
            name: "Figures", dependencies: ["FileFormats", "CCairo", "CPango"],
            resources: [
                .embedInCode("Page/page.html"), .embedInCode("Page/page.css"),
                .embedInCode("Page/map/words.js"), .embedInCode("Page/map/data.js"), .embedInCode("Page/map/columns.js"),
                .embedInCode("Page/map/grid.js"),
                .embedInCode("Page/map/colors.js"), .embedInCode("Page/map/sample.js"), .embedInCode("Page/map/webgl.js"),
                .embedInCode("Page/map/canvas.js"),
                .embedInCode("Page/map/view.js"), .embedInCode("Page/map/overlay.js"), .embedInCode("Page/map/hills.js"),
                .embedInCode("Page/map/points.js"),
                .embedInCode("Page/map/legend.js"), .embedInCode("Page/map/list.js"), .embedInCode("Page/map/search.js"),
                .embedInCode("Page/map/gestures.js"),
                .embedInCode("Page/map/begin.js"), .embedInCode("Page/map/address.js"), .embedInCode("Page/map/pictures.js"),
                .embedInCode("Page/attention.html"), .embedInCode("Page/attention.css"), .embedInCode("Page/attention.js"),
            ]),

        // Third floor.
        .target(name: "Networks", dependencies: ["Autograd", "Tensors", "FileFormats"]),
        .target(name: "Analysis", dependencies: ["Statistics", "Tensors", "CKernels", "CKissFFT", "FileFormats", "VectorStore"]),
        .target(name: "WordVectors", dependencies: ["Tokenizers", "VectorStore", "Tensors", "FileFormats", "CKernels"]),
        .target(name: "Reporting", dependencies: ["VectorStore", "FileFormats"]),
        .target(name: "Simulation", dependencies: ["Statistics", "Tensors", "FileFormats", "CKernels"]),

        // Fourth floor.
        .target(name: "Representations", dependencies: ["Analysis", "Statistics", "Tensors", "FileFormats"]),
        .target(name: "ModelFolders", dependencies: ["Networks", "Autograd", "Tensors", "FileFormats", "CCurl"]),

        // Fifth floor.
        .target(
            name: "SentenceEmbedding",
            dependencies: [
                "ModelFolders", "WordVectors", "Networks", "Autograd", "Tokenizers", "VectorStore", "FileFormats", "Tensors",
            ]),
        .target(
            name: "LanguageModels",
            dependencies: ["ModelFolders", "Networks", "Autograd", "Tokenizers", "Statistics", "FileFormats", "Tensors"]),

        // Sixth floor.
        .target(
            name: "Training",
            dependencies: [
                "SentenceEmbedding", "LanguageModels", "ModelFolders", "Networks", "Tokenizers", "Analysis", "Statistics", "Autograd",
                "VectorStore", "FileFormats", "Tensors",
            ]),
        .target(name: "Shards", dependencies: ["SentenceEmbedding", "VectorStore", "FileFormats", "Tensors"]),
        .target(
            name: "Interpretation",
            dependencies: [
                "SentenceEmbedding", "ModelFolders", "Networks", "Autograd", "Tokenizers", "Statistics", "FileFormats", "Tensors",
            ]),

        // What the server's program and this one share.
        .target(
            name: "ServiceOptions",
            dependencies: ["FileFormats", "Tensors", .product(name: "ArgumentParser", package: "swift-argument-parser")]),

        // Under the roof: one library face, one program.
        .target(
            name: "Kotonoha",
            dependencies: [
                "SentenceEmbedding", "LanguageModels", "ModelFolders", "Analysis", "Representations", "Statistics", "Interpretation",
                "Reporting", "Simulation",
                "Figures", "Training", "Shards", "WordVectors", "VectorStore", "Tokenizers", "Networks", "FileFormats", "Tensors",
            ], path: "Sources/KotonohaLibrary"),
        .executableTarget(
            name: "kotonoha",
            dependencies: [
                "SentenceEmbedding", "LanguageModels", "ModelFolders", "Analysis", "Representations", "Statistics", "Interpretation",
                "Reporting",
                "Simulation", "Figures", "Training", "Shards", "WordVectors",
                "VectorStore", "Tokenizers", "Networks", "ServiceOptions", "FileFormats", "Tensors", "CArguments",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // The experiments of docs/experiments; tools/experiments/NAME runs them.
        .executableTarget(
            name: "experiments",
            dependencies: [
                "Training", "Networks", "SentenceEmbedding", "LanguageModels", "ModelFolders", "Interpretation", "Analysis", "Statistics",
                "Tokenizers",
                "Figures", "FileFormats", "Tensors", "CMeCab", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "tools/experiments/Sources"),
        // Not installed: times the analyses for tools/bench.
        .executableTarget(
            name: "analysis-bench", dependencies: ["Analysis", "Representations", "Tensors"], path: "tools/benchmarks/analysis"),
        // Not installed: times the training step for tools/bench.
        .executableTarget(
            name: "training-bench", dependencies: ["Training", "Networks", "Autograd", "Tensors"], path: "tools/benchmarks/training"),
        // Not installed: times seq2seq training and generation for tools/bench.
        .executableTarget(
            name: "seq2seq-bench", dependencies: ["Training", "LanguageModels", "Networks", "Autograd", "Tensors"],
            path: "tools/benchmarks/seq2seq"),

        // Not installed: times the training of word vectors for tools/bench.
        .executableTarget(
            name: "words-bench", dependencies: ["WordVectors", "Tensors", "FileFormats"], path: "tools/benchmarks/words",
            exclude: ["corpus.py", "peers.py", "quality.py", "speed.py"]),

        // Models made on the spot, shared by tests.
        // What tests need from outside, shown as skipped where it is missing.
        .target(name: "TestTools", path: "Tests/Tools"),
        .target(
            name: "TestSupport", dependencies: ["Networks", "Tensors", "FileFormats", "TestTools"], path: "Tests/Support",
            exclude: ["hub.py", "Faults"]),
        .testTarget(name: "TensorsTests", dependencies: ["Tensors", "Autograd"]),
        .testTarget(name: "AutogradTests", dependencies: ["Autograd", "Tensors"], exclude: ["Fixtures"]),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "TestSupport", "TestTools", "ModelFolders", "LanguageModels", "SentenceEmbedding", "Training", "Tokenizers", "VectorStore",
                "Statistics", "Networks", "Autograd", "Tensors", "FileFormats",
            ], exclude: ["Fixtures"]),
        .testTarget(name: "FileFormatsTests", dependencies: ["FileFormats", "TestTools"], exclude: ["Fixtures"]),
        .testTarget(name: "TokenizersTests", dependencies: ["Tokenizers", "FileFormats"], exclude: ["Fixtures"]),
        // Not installed: the child process that validates HDF5 files, for the tests.
        .executableTarget(name: "hdf5-child", dependencies: ["VectorStore", "CHDF5"], path: "Tests/HDF5Child"),
        .testTarget(
            name: "WordVectorsTests", dependencies: ["WordVectors", "Analysis", "VectorStore", "Tensors", "FileFormats", "CKernels"]),
        .testTarget(name: "VectorStoreTests", dependencies: ["VectorStore", "FileFormats", "hdf5-child", "TestTools"]),
        // Not installed: what tools/fuzz mutates the input of; the tests read its seeds and findings.
        .target(name: "CFuzzDriver", path: "Tests/Fuzz/Driver"),
        .target(name: "FuzzTargets", dependencies: ["WordVectors", "Tokenizers", "FileFormats"], path: "Tests/Fuzz/Targets"),
        .executableTarget(name: "fuzz", dependencies: ["FuzzTargets", "CFuzzDriver"], path: "Tests/Fuzz/Program"),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"]),
        .testTarget(
            name: "Seq2SeqTests",
            dependencies: ["LanguageModels", "ModelFolders", "Networks", "Autograd", "Tensors", "Training", "FileFormats"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "LanguageModelsTests",
            dependencies: [
                "LanguageModels", "Interpretation", "SentenceEmbedding", "ModelFolders", "Networks", "Autograd", "Tokenizers", "Statistics",
                "Tensors", "FileFormats",
                "TestSupport", "TestTools",
            ], exclude: ["Fixtures"]),
        .testTarget(name: "NetworksTests", dependencies: ["Networks", "Autograd", "Tensors", "FileFormats"], exclude: ["Fixtures"]),
        .testTarget(
            name: "AnalysisTests", dependencies: ["Analysis", "Tensors", "FileFormats", "VectorStore", "CKernels"], exclude: ["Fixtures"]),
        .testTarget(name: "SimulationTests", dependencies: ["Simulation", "Statistics", "Tensors", "FileFormats"]),
        .testTarget(name: "FiguresTests", dependencies: ["Figures", "FileFormats", "TestTools"]),
        .testTarget(
            name: "SentenceEmbeddingTests",
            dependencies: [
                "TestSupport", "TestTools", "ModelFolders", "Tokenizers", "SentenceEmbedding", "Networks", "Tensors", "FileFormats",
                "VectorStore",
            ], exclude: ["Fixtures"]),
        .testTarget(
            name: "ProgramTests", dependencies: ["kotonoha", "TestSupport", "TestTools", "FileFormats", "Tensors", "VectorStore"],
            exclude: ["Fixtures", "Help"]),
        .testTarget(name: "StatisticsTests", dependencies: ["Statistics", "Tensors", "FileFormats"], exclude: ["Fixtures"]),
        .testTarget(
            name: "RepresentationsTests", dependencies: ["Representations", "Analysis", "Statistics", "Tensors", "FileFormats"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "ProbeTests",
            dependencies: ["Interpretation", "Tokenizers", "Analysis", "SentenceEmbedding", "VectorStore", "FileFormats", "Tensors"],
            exclude: ["Fixtures"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17,
    cxxLanguageStandard: .cxx17
)
