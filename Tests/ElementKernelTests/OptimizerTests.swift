import CGossamerKernels
import GossamerTensors
import Testing

/// The steps of the optimizers against their formulas in double.
@Suite struct OptimizerTests {
    private let rate = Double(Float(0.1))

    /// Values of one case, as the kernels see them and in double.
    private struct Problem {
        let count: Int
        var weights: [Float]
        var expected: [Double]
        let scale: Float
        let decay: Float
        private static let rate: Float = 0.1

        init(_ generator: inout SeededGenerator) {
            count = 1 + generator.index(below: 70)
            weights = Self.draw(count, &generator)
            expected = weights.map(Double.init)
            scale = generator.index(below: 2) == 0 ? 1 : 0.25
            decay = generator.index(below: 2) == 0 ? 0 : 0.01
        }

        static func draw(_ count: Int, _ generator: inout SeededGenerator) -> [Float] {
            (0 ..< count).map { _ in generator.uniform() - 0.5 }
        }

        /// Draws gradients and runs one step on them; `expect` gets the gradient of each weight with its decay.
        mutating func step(
            _ generator: inout SeededGenerator, _ kernel: (gsm_update) -> Void,
            expect: (_ index: Int, _ gradient: Double, _ weight: inout Double) -> Void
        ) {
            let gradients = Self.draw(count, &generator)
            weights.withUnsafeMutableBufferPointer { weights in
                gradients.withUnsafeBufferPointer { gradients in
                    kernel(
                        gsm_update(
                            count: Int64(count), weights: weights.baseAddress!, gradients: gradients.baseAddress!,
                            gradient_scale: scale, weight_decay: decay, learning_rate: Self.rate))
                }
            }
            for index in 0 ..< count {
                let gradient = Double(scale) * Double(gradients[index]) + Double(decay) * expected[index]
                expect(index, gradient, &expected[index])
            }
        }

        func check(_ comment: Comment) { #expect(relativeError(weights.map(Double.init), expected) < 1e-6, comment) }
    }

    @Test func nesterov() {
        forEachCase("nesterov") { kernels, generator, comment in
            var problem = Problem(&generator)
            var velocities = [Float](repeating: 0, count: problem.count), expected = velocities.map(Double.init)
            for _ in 0 ..< 3 {
                problem.step(&generator) {
                    kernels.nesterov_step($0, &velocities, 0.9)
                } expect: { index, gradient, weight in
                    expected[index] = 0.9 * expected[index] + gradient
                    weight -= rate * (gradient + 0.9 * expected[index])
                }
            }
            problem.check(comment)
            #expect(relativeError(velocities.map(Double.init), expected) < 1e-6, comment)
        }
    }

    @Test func adam() {
        forEachCase("adam") { kernels, generator, comment in
            var problem = Problem(&generator)
            var means = [Float](repeating: 0, count: problem.count), squares = means
            var expectedMeans = means.map(Double.init), expectedSquares = expectedMeans
            let settings = gsm_adam(
                mean_share: 0.125, square_decay: 0.875, square_share: 0.125, deviation_scale: 1.5, epsilon: 0.01,
                kept_weight: 0.9375)
            for _ in 0 ..< 3 {
                problem.step(&generator) {
                    kernels.adam_step($0, &means, &squares, settings)
                } expect: { index, gradient, weight in
                    expectedMeans[index] += 0.125 * (gradient - expectedMeans[index])
                    expectedSquares[index] = 0.875 * expectedSquares[index] + 0.125 * gradient * gradient
                    let deviation = expectedSquares[index].squareRoot() * 1.5 + Double(Float(0.01))
                    weight = 0.9375 * weight - rate * expectedMeans[index] / deviation
                }
            }
            problem.check(comment)
            #expect(relativeError(means.map(Double.init), expectedMeans) < 1e-6, comment)
            #expect(relativeError(squares.map(Double.init), expectedSquares) < 1e-6, comment)
        }
    }

    @Test func rmsprop() {
        forEachCase("rmsprop") { kernels, generator, comment in
            var problem = Problem(&generator)
            let hasMomentum = generator.index(below: 2) == 0
            var squares = [Float](repeating: 0, count: problem.count), velocities = squares
            var expectedSquares = squares.map(Double.init), expectedVelocities = expectedSquares
            let settings = gsm_rmsprop(decay: 0.875, square_share: 0.125, epsilon: 0.25, momentum: 0.5)
            for _ in 0 ..< 3 {
                problem.step(&generator) { update in
                    if hasMomentum {
                        kernels.rmsprop_step(update, &squares, &velocities, settings)
                    } else {
                        kernels.rmsprop_step(update, &squares, nil, settings)
                    }
                } expect: { index, gradient, weight in
                    expectedSquares[index] = 0.875 * expectedSquares[index] + 0.125 * gradient * gradient
                    let move = gradient / (expectedSquares[index].squareRoot() + 0.25)
                    expectedVelocities[index] = (hasMomentum ? 0.5 * expectedVelocities[index] : 0) + move
                    weight -= rate * expectedVelocities[index]
                }
            }
            problem.check(comment)
            #expect(relativeError(squares.map(Double.init), expectedSquares) < 1e-6, comment)
            if !hasMomentum { #expect(velocities.allSatisfy { $0 == 0 }, comment) }
        }
    }

    @Test func averagesAndSums() {
        forEachCase("averagesAndSums") { kernels, generator, comment in
            let count = 1 + generator.index(below: 70)
            let values = Problem.draw(count, &generator)
            var averages = Problem.draw(count, &generator)
            let expected = zip(averages, values).map { Double($0) + 0.25 * (Double($1) - Double($0)) }
            kernels.average_step(Int64(count), &averages, values, 0.25)
            #expect(relativeError(averages.map(Double.init), expected) < 1e-6, comment)
            let sum = values.reduce(0.0) { $0 + Double($1) * Double($1) }
            #expect(abs(kernels.sum_of_squares(Int64(count), values) - sum) < 1e-12 * sum, comment)
        }
    }
}
