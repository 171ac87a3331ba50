using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Expiration;

/// <summary>Somebody who has something to do at each upload of a store from time to time.</summary>
internal interface ISweepVisitor
{
    /// <summary>How often it wants to visit.</summary>
    TimeSpan Interval { get; }

    /// <summary>Does what is to be done for one upload.</summary>
    ValueTask VisitAsync(UploadInfo info, CancellationToken cancellationToken);

    /// <summary>All uploads were visited.</summary>
    void OnSweepCompleted();
}
