import GossamerDatasets
import GossamerExecution
import GossamerNetworks
import GossamerTraining
import GossamerTensors
let data = try Dataset.open(.parse("fashion-mnist"))
let norm = Normalization(measuring: data.train)
let pool = ThreadPool(threads: 2)
let net = try Network.mnist()
var t = try Trainer(net, settings: TrainingSettings(epochs: 2, batchSize: 64, learningRate: 0.01), images: data.train.subset(Array(0..<6400)), normalization: norm, pool: pool)
let out = try t.run(validation: data.test.subset(Array(0..<1000)), normalization: norm, checkpoints: nil) { e in
  if case .step(let p) = e, p.step % 10 == 0 { print(p) }
  if case .epoch(let p) = e { print(p) }
}
