using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Protocols.FileId;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads;

/// <summary>The protocols by which a request can be told from one that is none of ours.</summary>
internal enum UploadProtocol
{
    None,
    FileId,
    Tus,
}

/// <summary>Tells by its headers and its URL which protocol a request speaks. Cheap: it is asked of every request to an app's endpoint.</summary>
internal static class ProtocolOf
{
    /// <summary>What the browser asks for a page of another site; CORS answers it.</summary>
    public static bool IsPreflight(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method) && request.Headers.ContainsKey(HeaderNames.AccessControlRequestMethod);

    /// <summary>The protocol of a request, or of the one that a preflight asks for.</summary>
    public static UploadProtocol Of(HttpRequest request)
    {
        if (IsPreflight(request))
        {
            string asked = request.Headers.AccessControlRequestHeaders.ToString();
            return asked.Contains(TusHeaders.Resumable, StringComparison.OrdinalIgnoreCase) ? UploadProtocol.Tus
                : asked.Contains(FileIdHeaders.FileId, StringComparison.OrdinalIgnoreCase) ? UploadProtocol.FileId
                : UploadProtocol.None;
        }

        IHeaderDictionary headers = request.Headers;
        return headers.ContainsKey(TusHeaders.Resumable) || IsUpload(request.QueryString) ? UploadProtocol.Tus
            : headers.ContainsKey(FileIdHeaders.FileId) ? UploadProtocol.FileId
            : UploadProtocol.None;
    }

    private static bool IsUpload(QueryString query) =>
        query.HasValue && query.Value!.Contains(UploadUrl.Parameter + "=", StringComparison.Ordinal);
}
