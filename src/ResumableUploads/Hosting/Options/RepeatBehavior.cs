namespace ResumableUploads;

/// <summary>Specifies what happens when a completed file is sent again.</summary>
public enum RepeatBehavior
{
    /// <summary>The stored response is returned. The handler does not run again.</summary>
    ReplayResponse = 0,

    /// <summary>The offset is reported as 0, and sending the file from its first byte creates a new upload.</summary>
    StartOver = 1,
}
