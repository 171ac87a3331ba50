namespace ResumableUploads.Engine.Content;

/// <summary>Why the content of an append ended.</summary>
internal enum BodyEndReason
{
    /// <summary>It has not ended yet.</summary>
    NotEnded = 0,

    /// <summary>The whole body arrived.</summary>
    EndOfBody,

    /// <summary>The client went away, or broke its own framing.</summary>
    Disconnected,

    /// <summary>Another request asked for the turn.</summary>
    Preempted,

    /// <summary>The server is stopping.</summary>
    Shutdown,

    /// <summary>No byte came for the idle timeout.</summary>
    IdleTimeout,

    /// <summary>Bytes came below the lowest rate.</summary>
    BelowMinDataRate,

    /// <summary>There were more bytes than the upload may still take.</summary>
    LimitExceeded,
}
