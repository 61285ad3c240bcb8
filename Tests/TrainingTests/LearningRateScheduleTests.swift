import Foundation
import GossamerTensors
import GossamerTestSupport
import GossamerTraining
import Testing

@Suite struct LearningRateScheduleTests {
    @Test func descriptionsAreReadBack() throws {
        try forEachCase("descriptionsAreReadBack", count: 300) { generator, replay in
            func number() -> Double {
                switch generator.index(below: 4) {
                case 0: Double(1 + generator.index(below: 20))
                case 1: Double(generator.uniform()) + 1e-9
                case 2: pow(10, Double(generator.index(below: 30)) - 15)
                default: Double.leastNonzeroMagnitude * Double(1 + generator.index(below: 9))
                }
            }
            var schedule = LearningRateSchedule(.constant)
            switch generator.index(below: 3) {
            case 0: break
            case 1: schedule.shape = .cosine
            default: schedule.shape = .step(every: number(), factor: number())
            }
            if generator.index(below: 2) == 0 { schedule.warmupEpochs = number() }
            #expect(try LearningRateSchedule(parsing: schedule.description) == schedule, "\(replay)")
            let json = try JSONEncoder().encode([schedule])
            #expect(try JSONDecoder().decode([LearningRateSchedule].self, from: json) == [schedule], "\(replay)")
        }
    }

    @Test func theFormsOfTheManual() throws {
        #expect(try LearningRateSchedule(parsing: "constant") == LearningRateSchedule(.constant))
        #expect(try LearningRateSchedule(parsing: "cosine,warmup=1") == LearningRateSchedule(.cosine, warmupEpochs: 1))
        #expect(
            try LearningRateSchedule(parsing: "step:every=10,factor=0.1,warmup=0.5")
                == LearningRateSchedule(.step(every: 10, factor: 0.1), warmupEpochs: 0.5))
    }

    @Test(arguments: [
        "", " ", ",", ":", "=", "cosin", "Cosine", "cosine ", "cosine,", "cosine:", "cosine,warmup", "cosine,warmup=",
        "cosine,warmup=-1", "cosine,warmup=0", "cosine,warmup=nan", "cosine,warmup=inf", "cosine,warmup=1e999",
        "cosine,warmup=1,warmup=1", "cosine,warmup=1=2", "cosine,every=1", "constant,factor=2", "step", "step:every=1",
        "step:factor=1", "step:every=1,factor=0", "step:every=0,factor=1", "step:every=1,factor=0.1,x=1",
        "step:every=1,factor=0.1\n", "step:every=一,factor=1", "step::every=1,factor=1", "cosine\u{0},warmup=1",
    ])
    func otherTextsAreRefused(text: String) throws {
        let error = #expect(throws: TrainingError.self) { _ = try LearningRateSchedule(parsing: text) }
        guard case .invalidOption("schedule", text, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func randomTextsNeverCrash() {
        let pieces = [
            "step", "cosine", "constant", ":", ",", "=", "every", "factor", "warmup", "1", "0.1", "-", "e9", "\u{301}",
        ]
        forEachCase("randomTextsNeverCrash", count: 2000) { generator, replay in
            let length = generator.index(below: 12)
            let text = (0 ..< length).map { _ in pieces[generator.index(below: pieces.count)] }.joined()
            guard let schedule = try? LearningRateSchedule(parsing: text) else { return }
            #expect((try? LearningRateSchedule(parsing: schedule.description)) == schedule, "\(replay)")
        }
    }

    private func factor(_ text: String, _ epoch: Double, of epochs: Double = 10) throws -> Double {
        try LearningRateSchedule(parsing: text).factor(epoch: epoch, of: epochs, stepsPerEpoch: 100)
    }

    @Test func cosineFallsFromOneToZero() throws {
        #expect(try factor("cosine", 0) == 1)
        #expect(try abs(factor("cosine", 5) - 0.5) < 1e-12)
        #expect(try abs(factor("cosine", 10)) < 1e-12)
        #expect(try abs(factor("cosine", 11)) < 1e-12)
        let factors = try stride(from: 0.0, through: 10, by: 0.01).map { try factor("cosine", $0) }
        #expect(zip(factors, factors.dropFirst()).allSatisfy(>=))
    }

    @Test func warmUpRisesToTheSchedule() throws {
        for text in ["constant,warmup=2", "cosine,warmup=2", "step:every=4,factor=0.5,warmup=2"] {
            let factors = try stride(from: 0.0, through: 2, by: 0.01).map { try factor(text, $0) }
            #expect(factors[0] > 0 && factors[0] < 0.01)
            #expect(zip(factors, factors.dropFirst()).allSatisfy(<))
            #expect(abs(factors.last! - 1) < 0.01)
        }
        #expect(try abs(factor("cosine,warmup=2", 6) - 0.5) < 1e-12)
        #expect(try abs(factor("cosine,warmup=2", 10)) < 1e-12)
        // A warm-up that outlasts the training only rises.
        #expect(try factor("cosine,warmup=20", 10) < 0.6)
    }

    @Test func stepsMultiply() throws {
        #expect(try factor("step:every=3,factor=0.5", 2.99) == 1)
        #expect(try factor("step:every=3,factor=0.5", 3) == 0.5)
        #expect(try factor("step:every=3,factor=0.5", 9.5) == 0.125)
        #expect(try factor("constant", 7) == 1)
    }
}
