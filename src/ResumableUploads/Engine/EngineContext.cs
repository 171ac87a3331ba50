using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Quotas;

namespace ResumableUploads.Engine;

/// <summary>What all parts of one engine share. <see cref="UploadEngine"/> builds it once; it never changes.</summary>
internal sealed record EngineContext
{
    public required IUploadStore Store { get; init; }

    public required EngineSettings Settings { get; init; }

    public required RecordPolicy RecordPolicy { get; init; }

    public required RecordUpdater RecordUpdater { get; init; }

    public required OwnerQuota Quota { get; init; }

    public required UploadMetrics Metrics { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>The token that is canceled when the server stops.</summary>
    public required CancellationToken Stopping { get; init; }
}
