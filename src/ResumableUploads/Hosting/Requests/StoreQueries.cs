using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Requests.Responses;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Requests;

/// <summary>Reads from the store for requests that change nothing, and turns its failures into results.</summary>
internal sealed class StoreQueries(IUploadStore store, ILogger logger)
{
    /// <summary>Gets whether the store can hold bytes back until their digest is verified.</summary>
    public bool CanStageAppends { get; } = store.GetCapability<IStagedAppendStore>() is not null;

    /// <summary>Gets an upload, or <see langword="null"/> if it does not exist.</summary>
    /// <exception cref="UploadStoreException">The store failed. The upload may exist.</exception>
    public async ValueTask<UploadInfo?> FindAsync(UploadKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await store.GetAsync(key, cancellationToken);
        }
        catch (UploadStoreException e)
        {
            Log.StoreRequestFailed(logger, e);
            throw;
        }
    }

    /// <summary>Runs a query. If the store fails, returns the response for that result.</summary>
    public async ValueTask<HttpResponseData?> QueryAsync(Func<ValueTask<HttpResponseData?>> query, Func<UploadResult, HttpResponseData> createResponse)
    {
        try
        {
            return await query();
        }
        catch (UploadStoreException e)
        {
            Log.StoreRequestFailed(logger, e);
            return createResponse(UploadResult.FromException(e) with { Offset = null });
        }
    }

    /// <summary>Writes the content of a completed upload as the response. Returns <see langword="false"/> if there is no content that its handler has accepted.</summary>
    public ValueTask<bool> TryDownloadAsync(HttpContext context, UploadInfo info, IEnumerable<KeyValuePair<string, string>> protocolHeaders) =>
        DownloadWriter.TryWriteAsync(context, store, info, protocolHeaders);
}
