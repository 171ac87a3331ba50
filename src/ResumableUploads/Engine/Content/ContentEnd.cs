namespace ResumableUploads.Engine.Content;

/// <summary>Why the content of an append ended.</summary>
internal enum ContentEnd
{
    /// <summary>It has not ended yet.</summary>
    None = 0,

    /// <summary>The whole body arrived.</summary>
    Whole,

    /// <summary>The client went away, or broke its own framing.</summary>
    Disconnected,

    /// <summary>Another request asked for the turn.</summary>
    TakenOver,

    /// <summary>The server is stopping.</summary>
    Shutdown,

    /// <summary>No byte came for the idle timeout.</summary>
    Idle,

    /// <summary>Bytes came below the lowest rate.</summary>
    TooSlow,

    /// <summary>There were more bytes than the upload may still take.</summary>
    Overshoot,
}
