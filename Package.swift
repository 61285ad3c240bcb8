// swift-tools-version: 6.1
import PackageDescription

// One folder per module, in the order in which they may import each other: see docs/architecture.md.
let package = Package(
    name: "gossamer",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Gossamer", targets: ["Gossamer"]),
        .library(name: "GossamerInference", targets: ["GossamerInference"]),
        .library(name: "GossamerONNX", targets: ["GossamerONNX"]),
        .executable(name: "gossamer", targets: ["GossamerCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .target(
            name: "CGossamerKernels",
            path: "Sources/CKernels",
            exclude: ["README.md"],
            linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
        .systemLibrary(
            name: "CZlib",
            path: "Sources/CZlib",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(
            name: "CJPEG",
            path: "Sources/CJPEG",
            pkgConfig: "libjpeg",
            providers: [.apt(["libjpeg62-turbo-dev"]), .brew(["jpeg-turbo"])]),
        .systemLibrary(
            name: "CPNG",
            path: "Sources/CPNG",
            pkgConfig: "libpng",
            providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
        .target(
            name: "CGossamerImages",
            dependencies: ["CJPEG", "CPNG"],
            path: "Sources/CImages",
            exclude: ["README.md"]),
        .target(
            name: "GossamerTensors",
            path: "Sources/Tensors",
            exclude: ["README.md"]),
        .target(
            name: "GossamerImages",
            dependencies: ["CGossamerImages", "GossamerTensors"],
            path: "Sources/Images",
            exclude: ["README.md"]),
        .target(
            name: "GossamerConnectivity",
            dependencies: ["GossamerTensors"],
            path: "Sources/Connectivity",
            exclude: ["README.md"]),
        .target(
            name: "GossamerNetworks",
            dependencies: ["GossamerTensors", "GossamerConnectivity"],
            path: "Sources/Networks",
            exclude: ["README.md", "Architectures/README.md"]),
        .target(
            name: "GossamerExecution",
            dependencies: ["CGossamerKernels", "GossamerNetworks"],
            path: "Sources/Execution",
            exclude: ["README.md"]),
        .target(
            name: "GossamerDatasets",
            dependencies: ["GossamerImages", "CZlib"],
            path: "Sources/Datasets",
            exclude: ["README.md"]),
        .target(
            name: "GossamerModelFiles",
            dependencies: ["GossamerExecution"],
            path: "Sources/ModelFiles",
            exclude: ["README.md"]),
        .target(
            name: "GossamerInference",
            dependencies: ["GossamerModelFiles", "GossamerImages"],
            path: "Sources/Inference",
            exclude: ["README.md"]),
        .target(
            name: "GossamerONNX",
            dependencies: [
                "GossamerModelFiles",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Sources/ONNX",
            exclude: ["README.md"]),
        .target(
            name: "GossamerTraining",
            dependencies: ["GossamerExecution", "GossamerDatasets", "GossamerModelFiles"],
            path: "Sources/Training",
            exclude: ["README.md"]),
        .target(
            name: "GossamerExperiments",
            dependencies: [
                "GossamerTraining",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Sources/Experiments",
            exclude: ["README.md", "Tracking/events.proto"]),
        .target(
            name: "Gossamer",
            dependencies: [
                "GossamerTensors", "GossamerConnectivity", "GossamerNetworks", "GossamerExecution", "GossamerImages",
                "GossamerDatasets", "GossamerModelFiles", "GossamerInference", "GossamerTraining",
            ],
            path: "Sources/Gossamer",
            exclude: ["README.md"]),
        .executableTarget(
            name: "GossamerCommand",
            dependencies: [
                "Gossamer", "GossamerExperiments", "GossamerONNX",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/GossamerCommand",
            exclude: ["README.md"]),
        .testTarget(name: "KernelsTests", dependencies: ["CGossamerKernels", "GossamerTensors"]),
        .testTarget(name: "TensorsTests", dependencies: ["GossamerTensors"]),
        .testTarget(name: "ConnectivityTests", dependencies: ["GossamerConnectivity", "GossamerTensors"]),
        .testTarget(
            name: "NetworksTests",
            dependencies: ["GossamerNetworks", "GossamerConnectivity", "GossamerTensors"]),
        .testTarget(name: "ElementKernelTests", dependencies: ["CGossamerKernels", "GossamerTensors"]),
        .testTarget(name: "SingleImageKernelTests", dependencies: ["CGossamerKernels", "GossamerTensors"]),
        .testTarget(
            name: "ModelFilesTests",
            dependencies: ["GossamerModelFiles", "GossamerTestSupport"],
            exclude: ["state-dictionaries.py"]),
        .testTarget(
            name: "ONNXTests",
            dependencies: [
                "GossamerONNX", "GossamerTestSupport",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["compare-onnx.py", "make-import-cases.py"]),
        .testTarget(name: "ExperimentsTests", dependencies: ["GossamerExperiments", "GossamerTestSupport"]),
        .target(
            name: "GossamerTestSupport",
            dependencies: ["GossamerExecution", "GossamerModelFiles"],
            path: "Tests/Support",
            exclude: ["torch_networks.py"]),
        .testTarget(name: "ExecutionTests", dependencies: ["GossamerExecution", "GossamerTestSupport"]),
        .testTarget(name: "TrainingTests", dependencies: ["GossamerTraining", "GossamerTestSupport"]),
        .testTarget(name: "InferenceTests", dependencies: ["GossamerInference", "GossamerTestSupport"]),
        .testTarget(
            name: "ImagesTests", dependencies: ["GossamerImages", "CZlib"], exclude: ["pillow-cases.py"]),
        .testTarget(name: "DatasetsTests", dependencies: ["GossamerDatasets", "CZlib"]),
        // Runs the executable, which is therefore built first.
        .testTarget(
            name: "CommandTests", dependencies: ["GossamerCommand", "GossamerTensors", "GossamerTestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)
