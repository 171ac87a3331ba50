using System.Collections.Concurrent;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads.FaultTests.Fuzz;

/// <summary>Sends requests one after another and verifies the store after each.</summary>
internal sealed class FuzzRound(FuzzApp app, FuzzProtocol protocol, ConcurrentDictionary<int, int> statuses)
{
    private readonly Dictionary<int, string> _made = [];

    /// <summary>Returns the first fault and the number of its request, or null.</summary>
    public async Task<string?> RunAsync(IEnumerable<FuzzRequest> requests)
    {
        foreach (FuzzRequest request in requests)
        {
            (string url, UploadKey? key) = Target(request);
            UploadInfo? before = key is { } target ? await app.Store.GetAsync(target, CancellationToken.None) : null;
            FuzzResult response = await app.SendAsync(request, url, before);
            statuses.AddOrUpdate(response.Status, 1, static (_, count) => count + 1);
            if (protocol.IsNamedByServer && response.Location is { } location && request.Target == FuzzRequest.Creation)
            {
                _made[request.Number] = location;
                key = app.KeyOf(location);
            }

            if ((response.Fault ?? (key is { } seen ? await FaultOfAsync(seen) : null)) is { } fault)
            {
                return $"request {request.Number} ({response.Status}): {fault}";
            }
        }

        return await ClearAsync();
    }

    private (string Url, UploadKey? Key) Target(FuzzRequest request)
    {
        if (!protocol.IsNamedByServer)
        {
            return (request.Target == FuzzRequest.Status ? FuzzApp.StatusPath : FuzzApp.Path,
                request.Headers.FirstOrDefault(static header => header.Name == "X-File-Id").Value is { Length: > 0 } id ? app.KeyOfFile(id) : null);
        }

        return request.Target switch
        {
            FuzzRequest.Creation => (FuzzApp.Path, null),
            FuzzRequest.Malformed => (app.UrlOf("no-upload-has-this-name"), null),
            >= 0 when _made.TryGetValue(request.Target, out string? location) => (location, app.KeyOf(location)),
            _ => (app.UrlOf(new string('0', FuzzApp.Made)), null),
        };
    }

    /// <summary>Returns what is wrong with a stored upload, or null.</summary>
    private async Task<string?> FaultOfAsync(UploadKey key)
    {
        if (await app.Store.GetAsync(key, CancellationToken.None) is not { } info)
        {
            return null;
        }

        _ = EngineRecord.From(info);
        if (info.Offset < 0 || info.Offset > (info.Length ?? FuzzApp.MaxUploadSize) || info.Length > FuzzApp.MaxUploadSize)
        {
            return $"the upload has {info.Offset} of {info.Length} bytes";
        }

        if (info.State == UploadState.Received || (info.State == UploadState.Completed && info.Offset != info.Length))
        {
            return $"the upload is {info.State} with {info.Offset} of {info.Length} bytes, and nothing is under way";
        }

        await using Stream? content = await app.Store.OpenReadAsync(key, CancellationToken.None);
        using var bytes = new MemoryStream();
        await (content?.CopyToAsync(bytes) ?? Task.CompletedTask);
        return bytes.Length != info.Offset ? $"{bytes.Length} bytes can be read of {info.Offset}"
            : !bytes.ToArray().AsSpan().SequenceEqual(FuzzContent.Bytes(0, (int)info.Offset)) ? "the bytes are not those that were sent"
            : null;
    }

    /// <summary>Deletes everything that the round has created. Anything left afterwards was not reachable.</summary>
    private async Task<string?> ClearAsync()
    {
        await foreach (UploadInfo info in app.Store.ListAsync(new UploadQuery(), CancellationToken.None))
        {
            if (await FaultOfAsync(info.Key) is { } fault)
            {
                return $"at the end: {fault}";
            }

            await app.Store.DeleteAsync(info.Key, null, CancellationToken.None);
        }

        return null;
    }
}
