/// How the connections of a network's convolutions are chosen, written the same in code, JSON and on the command
/// line: `dense`, `random:0.1`, `random:0.1,block=4`.
public enum Pattern: Hashable, Sendable {
    /// Every input channel feeds every output channel.
    case dense
    /// Every filter reads ceil(density * inputs) channels, drawn uniformly ("sparse random" of Changpinyo et al. 2017).
    /// Groups of `block` filters share one subset of the inputs.
    case random(density: Double, block: Int = 1)
}
