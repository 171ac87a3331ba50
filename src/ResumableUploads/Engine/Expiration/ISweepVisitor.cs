using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Expiration;

/// <summary>A periodic task that visits each upload of a store.</summary>
internal interface ISweepVisitor
{
    /// <summary>Gets the time between two sweeps.</summary>
    TimeSpan Interval { get; }

    /// <summary>Gets how often <see cref="TakeDueVisits"/> is to be called.</summary>
    TimeSpan EarlyVisitInterval { get; }

    /// <summary>Removes and returns the uploads that are to be visited now, and not only by the next sweep.</summary>
    UploadKey[] TakeDueVisits();

    /// <summary>Processes one upload. Calls for different uploads may overlap.</summary>
    ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken);

    /// <summary>Returns whether an upload is one of this visitor whose completion handler does not run again.</summary>
    bool IsDeadLettered(UploadInfo info) => false;

    /// <summary>Called after all uploads were visited.</summary>
    void OnSweepCompleted();
}
