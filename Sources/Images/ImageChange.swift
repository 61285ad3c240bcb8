/// What is done to an image on its way into a batch: the window that is cut out of it, and what augmentation adds.
package struct ImageChange: Hashable, Sendable {
    package var window: ImageWindow
    /// Pixels that the window's content moves down and right; black moves in.
    package var down = 0
    package var right = 0
    /// Left to right, before the move.
    package var isMirrored = false
    package var colors = ColorChange()

    package init(window: ImageWindow) { self.window = window }
}

/// Brightness, contrast and saturation. Values are not clipped to those of pixels.
package struct ColorChange: Hashable, Sendable {
    /// Added to every value, where a pixel counts from 0 to 1.
    package var brightness: Float = 0
    /// Scales the distance to the channel's mean.
    package var contrast: Float = 1
    /// Scales the distance to the pixel's grey.
    package var saturation: Float = 1

    package init() {}
}
