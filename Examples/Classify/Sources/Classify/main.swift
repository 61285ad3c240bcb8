import GossamerInference

guard CommandLine.arguments.count == 3 else { fatalError("usage: Classify MODEL IMAGE") }
var classifier = try ImageClassifier(contentsOf: CommandLine.arguments[1])
for prediction in try classifier.classify(fileAt: CommandLine.arguments[2]) {
    print("\(prediction.name): \(prediction.probability)")
}
