using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Events;

namespace ResumableUploads.Hosting.Requests;

/// <summary>
/// Gives a finished upload back, with ranges and an entity tag. What comes from a client is never shown as a page of this site: it is an
/// attachment, of a type that no browser runs, and the browser is told not to guess another. It takes no turn, so readers do not wait for one another.
/// </summary>
internal static class DownloadWriter
{
    private const string DefaultContentType = "application/octet-stream";

    /// <summary>Types that a browser shows without running anything in them.</summary>
    private static readonly string[] SafeContentTypes =
        ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "text/plain", "application/pdf", "application/zip"];

    private static readonly string[] SafeContentTypePrefixes = ["audio/", "video/", "font/"];

    /// <summary>Writes the content with some headers of the protocol, or says false where there is none to give.</summary>
    public static async ValueTask<bool> TryWriteAsync(
        HttpContext context, IUploadStore store, UploadKey key, IEnumerable<KeyValuePair<string, string>> protocolHeaders)
    {
        if (await store.GetAsync(key, context.RequestAborted) is not { State: not UploadState.Receiving } info
            || await store.OpenReadAsync(key, context.RequestAborted) is not { } content)
        {
            return false;
        }

        await using (content)
        {
            EngineRecord record = EngineRecord.From(info);
            IHeaderDictionary headers = context.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
            headers.CacheControl = "private, no-cache";
            foreach ((string name, string value) in protocolHeaders)
            {
                headers[name] = value;
            }

            // The bytes of an upload never change once it is finished.
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

    private static string GetSafeContentType(string? stated)
    {
        string type = (stated ?? "").Split(';')[0].Trim().ToLowerInvariant();
        return SafeContentTypes.Contains(type) || SafeContentTypePrefixes.Any(kind => type.StartsWith(kind, StringComparison.Ordinal)) ? type : DefaultContentType;
    }
}
