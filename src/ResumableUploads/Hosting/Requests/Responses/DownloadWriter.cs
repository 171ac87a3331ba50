using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Requests.Responses;

/// <summary>
/// Sends the content of a completed upload, which its handler has accepted, with range requests and an entity tag. The content comes from a client and
/// must not run as a page of this site: it is an attachment of a harmless type, with MIME sniffing disabled.
/// </summary>
internal static class DownloadWriter
{
    private const string DefaultContentType = "application/octet-stream";

    /// <summary>Types that a browser displays without running scripts.</summary>
    private static readonly string[] SafeContentTypes =
        ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "text/plain", "application/pdf", "application/zip"];

    private static readonly string[] SafeContentTypePrefixes = ["audio/", "video/", "font/"];

    /// <summary>
    /// Writes the content of a completed upload with headers of the protocol. Returns <see langword="false"/> if its handler has not accepted the content, or
    /// has moved it.
    /// </summary>
    public static async ValueTask<bool> TryWriteAsync(
        HttpContext context, IUploadStore store, UploadInfo info, IEnumerable<KeyValuePair<string, string>> protocolHeaders)
    {
        UploadKey key = info.Key;
        if (!IsAccepted(info, await store.GetResponseAsync(key, context.RequestAborted))
            || await store.OpenReadAsync(key, context.RequestAborted) is not { } content)
        {
            return false;
        }

        await using (content)
        {
            EngineRecord record = EngineRecord.From(info);
            if (await store.GetAsync(key, context.RequestAborted) is not { } current || !record.IsOf(current))
            {
                // The upload was replaced, perhaps before its content was opened.
                return false;
            }

            IHeaderDictionary headers = context.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
            headers.CacheControl = "private, no-cache";
            foreach ((string name, string value) in protocolHeaders)
            {
                headers[name] = value;
            }

            // The content of a completed upload never changes.
            var tag = new EntityTagHeaderValue($"\"{key.Id[..Math.Min(key.Id.Length, 32)]}-{info.Offset}\"");
            await TypedResults.Stream(
                content,
                GetSafeContentType(record.ContentType),
                record.FileName ?? FileNameSanitizer.Sanitize(record.RawFileName),
                lastModified: null,
                tag,
                enableRangeProcessing: true).ExecuteAsync(context);
            return true;
        }
    }

    /// <summary>Returns whether the stored response is not an error. A damaged or lost response may have been one.</summary>
    public static bool IsAccepted(UploadInfo info, ReadOnlyMemory<byte>? stored)
    {
        EngineRecord record = EngineRecord.From(info);
        (ResponseCondition condition, ReadOnlyMemory<byte>? response) = ResponseEnvelope.Open(stored, record);
        return condition == ResponseCondition.Missing
            ? record.IsResponseStored is not true
            : response is { } bytes && StoredResponse.FromBytes(bytes).StatusCode < StatusCodes.Status400BadRequest;
    }

    private static string GetSafeContentType(string? clientType)
    {
        string type = (clientType ?? "").Split(';')[0].Trim().ToLowerInvariant();
        return SafeContentTypes.Contains(type) || SafeContentTypePrefixes.Any(prefix => type.StartsWith(prefix, StringComparison.Ordinal)) ? type : DefaultContentType;
    }
}
