namespace ResumableUploads.Hosting.Requests;

/// <summary>
/// The result of looking for the upload that a request is about at one of several endpoints, in ascending order of preference. Two endpoints can each have
/// an upload with the same file id. The client of the unfinished one still needs it.
/// </summary>
internal enum UploadLookupResult
{
    NotFound,

    /// <summary>The upload was created by a request with another path, route value or query.</summary>
    DifferentRequest,

    /// <summary>The upload is complete.</summary>
    Received,

    /// <summary>The store failed, so that the endpoint may have an unfinished upload.</summary>
    StoreFailed,
    Receiving,
}
