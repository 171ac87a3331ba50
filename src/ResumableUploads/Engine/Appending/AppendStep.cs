using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Appending;

/// <summary>The result of the part of an append that runs under the lock. It specifies the work that remains after the lock is released.</summary>
internal abstract record AppendStep
{
    /// <summary>Gets or sets whether this request created the upload.</summary>
    public bool IsCreated { get; set; }

    /// <summary>Gets or sets the task that completes when the last call of the progress handler has ended. The completion handler must not run before.</summary>
    public Task ProgressReported { get; set; } = Task.CompletedTask;

    public static implicit operator AppendStep(UploadResult result) => new Finished(result);

    /// <summary>No work remains. The result belongs to this request only.</summary>
    public sealed record Finished(UploadResult Result) : AppendStep;

    /// <summary>The upload is a part of a concatenation and has all its bytes. Concatenations may have been waiting for it.</summary>
    public sealed record PartReceived(UploadResult Result) : AppendStep;

    /// <summary>The upload is received, and this request holds the lease to run the completion handler.</summary>
    public sealed record HandlerLeased(UploadInfo Info, EngineRecord Record) : AppendStep;

    /// <summary>Another request received or completed the upload. This request returns the same result.</summary>
    /// <param name="Info">The upload.</param>
    /// <param name="IsRepeat">Whether the upload was already completed when this request arrived.</param>
    public sealed record ResultPending(UploadInfo Info, bool IsRepeat) : AppendStep;
}
