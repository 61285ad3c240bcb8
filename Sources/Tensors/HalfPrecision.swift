extension Float {
    /// The value of a half precision number, IEEE 754 binary16.
    package init(halfPrecision bits: UInt16) {
        let wide = UInt32(bits)
        let sign = (wide & 0x8000) << 16
        let exponent = (wide >> 10) & 31
        let fraction = wide & 0x3FF
        self = switch exponent {
        case 0: Float(sign: sign == 0 ? .plus : .minus, exponent: -24, significand: Float(fraction))
        case 31: Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }

    /// The value of a brain float: the upper half of a single precision number.
    package init(brainFloat bits: UInt16) { self.init(bitPattern: UInt32(bits) << 16) }
}
