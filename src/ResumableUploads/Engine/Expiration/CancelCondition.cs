using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Expiration;

/// <summary>The condition under which a request or an operator removes an upload.</summary>
/// <param name="MatchesCreationRequest">The function of <see cref="AppendCommand.MatchesCreationRequest"/>, or null to remove the upload of any request.</param>
/// <param name="Created">
/// The time at which the upload was created, or null to remove any upload with the key. A client can send another upload with the same key after the first one is
/// removed.
/// </param>
internal readonly record struct CancelCondition(Func<StoredRequest, bool>? MatchesCreationRequest = null, DateTimeOffset? Created = null)
{
    /// <summary>Gets a function that returns whether an operator removes the upload, or null if a client does. An operator reports the removal itself.</summary>
    public Func<UploadInfo, bool>? IsAllowedForOperator { get; init; }

    /// <summary>Returns the result if the upload must not be removed, or null if it can be.</summary>
    /// <exception cref="UploadStoreException">The record is damaged, or was written by a newer version.</exception>
    public UploadResult? GetRefusal(UploadInfo info)
    {
        if (Created is { } created && EngineRecord.From(info).Created != created)
        {
            // The upload of the request does not exist any more.
            return new UploadResult(UploadResultKind.Cancelled);
        }

        return EngineRecord.AllowsAccess(info, MatchesCreationRequest) && IsAllowedForOperator?.Invoke(info) is not false
            ? null
            : new UploadResult(UploadResultKind.DifferentRequest);
    }
}
