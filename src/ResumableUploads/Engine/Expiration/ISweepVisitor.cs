using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Expiration;

/// <summary>A periodic task that visits each upload of a store.</summary>
internal interface ISweepVisitor
{
    /// <summary>Gets the time between two sweeps.</summary>
    TimeSpan Interval { get; }

    /// <summary>Processes one upload.</summary>
    ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken);

    /// <summary>Called after all uploads were visited.</summary>
    void OnSweepCompleted();
}
