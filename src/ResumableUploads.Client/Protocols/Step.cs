namespace ResumableUploads.Client.Protocols;

/// <summary>What follows from a response.</summary>
internal enum StepKind
{
    /// <summary>The upload was created.</summary>
    Created,

    /// <summary>The server has reported its offset.</summary>
    AtOffset,

    /// <summary>The upload is complete, and this is the final response.</summary>
    Complete,

    /// <summary>The request, or a status request, should be sent later.</summary>
    Retry,

    /// <summary>The upload does not exist.</summary>
    Gone,

    /// <summary>The body of the request was too large.</summary>
    SendLess,

    /// <summary>The upload has failed.</summary>
    Failed,
}

/// <summary>What follows from a response.</summary>
internal sealed record Step(StepKind Kind)
{
    public static readonly Step Complete = new(StepKind.Complete);
    public static readonly Step Retry = new(StepKind.Retry);
    public static readonly Step Gone = new(StepKind.Gone);
    public static readonly Step SendLess = new(StepKind.SendLess);

    /// <summary>Gets the offset of the server, or null if it is unknown.</summary>
    public long? Offset { get; private init; }

    /// <summary>Gets the length of the upload as the server knows it, or null.</summary>
    public long? Length { get; private init; }

    /// <summary>Gets a value indicating whether the server has completed the upload, so that an empty append returns the final response.</summary>
    public bool IsComplete { get; private init; }

    /// <summary>Gets the URL of a created upload.</summary>
    public Uri? Location { get; private init; }

    public UploadFailureReason Reason { get; private init; }

    public string? Message { get; private init; }

    public static Step Created(Uri location, long offset) => new(StepKind.Created) { Location = location, Offset = offset };

    public static Step AtOffset(long offset, bool isComplete = false, long? length = null) => new(StepKind.AtOffset) { Offset = offset, IsComplete = isComplete, Length = length };

    public static Step Failed(UploadFailureReason reason, string message) => new(StepKind.Failed) { Reason = reason, Message = message };
}
