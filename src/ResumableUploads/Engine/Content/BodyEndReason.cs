namespace ResumableUploads.Engine.Content;

/// <summary>Specifies why the body of an append ended.</summary>
internal enum BodyEndReason
{
    /// <summary>The body has not ended.</summary>
    NotEnded = 0,

    /// <summary>The whole body arrived.</summary>
    EndOfBody,

    /// <summary>The client disconnected or violated the HTTP framing.</summary>
    Disconnected,

    /// <summary>Another request for the same upload requested the lock.</summary>
    Preempted,

    /// <summary>The server is stopping.</summary>
    Shutdown,

    /// <summary>No bytes arrived within the idle timeout.</summary>
    IdleTimeout,

    /// <summary>Bytes arrived below the minimum data rate.</summary>
    BelowMinDataRate,

    /// <summary>The body has more bytes than the upload accepts.</summary>
    LimitExceeded,

    /// <summary>The body has more bytes than the quota of the owner allows.</summary>
    QuotaExceeded,
}
