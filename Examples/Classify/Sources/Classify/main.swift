import Foundation
import GossamerInference

guard CommandLine.arguments.count == 3 else {
    FileHandle.standardError.write(Data("usage: Classify MODEL IMAGE\n".utf8))
    exit(64)
}
var classifier = try ImageClassifier(contentsOf: CommandLine.arguments[1])
for prediction in try classifier.classify(fileAt: CommandLine.arguments[2]) {
    print("\(prediction.name): \(prediction.probability)")
}
