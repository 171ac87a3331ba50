using System.Text;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Expiration;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Hosting.Requests.Responses;
using ResumableUploads.Hosting.Startup;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads.Hosting.Forms;

/// <summary>Finds the uploads that a form refers to, among those of the client that sent the form.</summary>
internal static class FormUploadReader
{
    /// <summary>Returns the uploads of a form field, in the order of the form.</summary>
    /// <exception cref="InvalidOperationException">The app has no upload endpoint with this path or, without a path, not exactly one.</exception>
    public static async Task<IReadOnlyList<FormUpload>> ReadAsync(HttpContext context, string name, string? uploadPath, CancellationToken cancellationToken)
    {
        (FormEndpoint[] endpoints, string path) = FindEndpoints(context, uploadPath);
        IFormCollection form = await context.Request.ReadFormAsync(cancellationToken);
        var uploads = new List<FormUpload>();
        foreach (string id in form[name].OfType<string>().Where(static id => id.Length > 0).DistinctBy(GetComparisonKey, StringComparer.Ordinal))
        {
            FormUpload? found = null;
            foreach (FormEndpoint endpoint in endpoints)
            {
                found ??= await FindAsync(context, endpoint, path, id, cancellationToken);
            }

            uploads.Add(found ?? new FormUpload(id, FormUploadStatus.NotFound));
        }

        return uploads;
    }

    private static (FormEndpoint[] Endpoints, string Path) FindEndpoints(HttpContext context, string? uploadPath)
    {
        IReadOnlyList<FormEndpoint> all = UploadDispatcherFactory.FindSharedServices(context.RequestServices)?.FormEndpoints
            ?? throw new InvalidOperationException("The app has no resumable uploads. Call builder.Services.AddResumableUploads().");
        if (uploadPath is not null)
        {
            string path = '/' + uploadPath.Trim('/');
            FormEndpoint[] matching = [.. all.Where(endpoint => endpoint.Matches(path, context.Request))];
            return matching.Length > 0
                ? (matching, path)
                : throw new InvalidOperationException($"No call of UseResumableUploads or MapResumableUploads has the path '{uploadPath}'.");
        }

        string?[] paths = [.. all.Select(static endpoint => endpoint.Path).Distinct(StringComparer.OrdinalIgnoreCase)];
        return paths is [{ } only]
            ? ([.. all], context.Request.PathBase + only)
            : throw new InvalidOperationException(
                "The app does not have exactly one path for uploads. Pass the path to which the files of the form are uploaded as uploadPath.");
    }

    private static async Task<FormUpload?> FindAsync(HttpContext context, FormEndpoint endpoint, string path, string id, CancellationToken cancellationToken)
    {
        // Clients without a cookie share an owner, but they must not receive the uploads of each other.
        if (GetFileId(id) is not { } fileId
            || !endpoint.Services.Identities.TryGetOwner(context, UploadIdSource.Client, out string owner, out _)
            || (owner == OwnerResolver.SharedAnonymousOwner && endpoint.Services.Options.AnonymousOwner != AnonymousOwner.Shared))
        {
            return null;
        }

        UploadKey key = UploadKeyFactory.FromFileId(owner, endpoint.Services.Identities.GetScope(context, path), fileId);
        if (await endpoint.Services.Store.FindAsync(key, cancellationToken) is not { } info || endpoint.Services.Engine.IsExpired(info))
        {
            return null;
        }

        FormUploadStatus status = info.State != UploadState.Completed ? FormUploadStatus.Incomplete
            : !DownloadWriter.IsAccepted(info, await endpoint.Store.GetResponseAsync(key, cancellationToken)) ? FormUploadStatus.Rejected
            : !EngineRecord.HasStoredContent(info) ? FormUploadStatus.Moved
            : FormUploadStatus.Completed;
        return status == FormUploadStatus.Completed
            ? new FormUpload(id, status, CreateUpload(), DeleteAsync)
            : new FormUpload(id, status);

        CompletedUpload CreateUpload() => new(endpoint.Store, info, EngineRecord.From(info), context.RequestServices)
        {
            OnMoving = () => UploadDispatcherFactory.FindSharedServices(context.RequestServices)!.FormMoves.Begin(key),
            OnMoved = DeleteAsync,
        };

        async Task DeleteAsync(CancellationToken token)
        {
            if (await endpoint.Services.Engine.CancelAsync(key, new CancelCondition(Created: EngineRecord.From(info).Created), token) is { Kind: not UploadResultKind.Cancelled })
            {
                throw new UploadStoreException(StoreFailure.Unavailable, $"Upload {key} could not be deleted, because another request uses it or the storage failed.");
            }
        }
    }

    /// <summary>Returns a text that is equal for two ids of one upload.</summary>
    private static string GetComparisonKey(string id) => GetFileId(id) is { } fileId ? Encoding.Latin1.GetString(fileId) : '\0' + id;

    /// <summary>Returns the bytes of an id as browsers send them in a header, or <see langword="null"/> if it cannot be one.</summary>
    private static byte[]? GetFileId(string id)
    {
        byte[] bytes = (id.All(static c => c <= byte.MaxValue) ? Encoding.Latin1 : Encoding.UTF8).GetBytes(id.Trim(' ', '\t'));
        return FileIdParser.IsFileId(bytes) ? bytes : null;
    }
}
