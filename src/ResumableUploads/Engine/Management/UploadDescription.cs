namespace ResumableUploads.Engine.Management;

/// <summary>What an operator sees of an upload, in addition to what the store knows.</summary>
/// <param name="Record">The engine's data in its record.</param>
internal sealed record UploadDescription(EngineRecord Record)
{
    /// <summary>Gets whether a request of this process appends to the upload.</summary>
    public bool IsAppending { get; init; }

    /// <summary>Gets whether a process runs the completion handler.</summary>
    public bool IsHandlerRunning { get; init; }

    /// <summary>Gets whether the completion handler does not run again.</summary>
    public bool IsDeadLettered { get; init; }

    /// <summary>Gets whether the completion handler has failed and has attempts left.</summary>
    public bool HasHandlerFailed { get; init; }
}
