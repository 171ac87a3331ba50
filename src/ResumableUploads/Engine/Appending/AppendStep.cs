using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Appending;

/// <summary>The result of the part of an append that runs under the lock. It says what is left to do without the lock.</summary>
internal abstract record AppendStep
{
    /// <summary>Gets whether this request created the upload.</summary>
    public bool IsCreated { get; init; }

    /// <summary>Gets the task that ends when the last progress event has been handled. The completion handler must not run before that.</summary>
    public Task ProgressReported { get; init; } = Task.CompletedTask;

    public static implicit operator AppendStep(UploadResult result) => new Finished(result);

    /// <summary>Nothing is left to do.</summary>
    public sealed record Finished(UploadResult Result) : AppendStep;

    /// <summary>The upload is a part of a concatenation and has all its bytes: concatenations may have been waiting for it.</summary>
    public sealed record PartReceived(UploadResult Result) : AppendStep;

    /// <summary>The upload is received, and this request holds the lease to run the completion handler.</summary>
    public sealed record HandlerLeased(UploadInfo Info, EngineRecord Record) : AppendStep;

    /// <summary>The upload was received or completed by another request, whose result this request returns too.</summary>
    /// <param name="Info">The upload.</param>
    /// <param name="IsRepeat">Whether the upload was already completed when this request arrived.</param>
    public sealed record ResultPending(UploadInfo Info, bool IsRepeat) : AppendStep;
}
