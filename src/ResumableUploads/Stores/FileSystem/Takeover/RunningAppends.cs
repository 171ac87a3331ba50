using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem.Takeover;

/// <summary>The appends of this store that hold the lock of their upload, by the nonce of the upload.</summary>
internal sealed class RunningAppends
{
    private readonly ConcurrentDictionary<string, UploadContent> _contents = new(StringComparer.Ordinal);

    public bool IsEmpty => _contents.IsEmpty;

    /// <summary>Adds an append until the result is disposed.</summary>
    public Registration Add(string nonce, UploadContent content)
    {
        _contents[nonce] = content;
        return new Registration(_contents, new(nonce, content));
    }

    /// <summary>Asks the append to an upload to end, if this store is appending to it.</summary>
    public void RequestRelease(string nonce)
    {
        if (_contents.TryGetValue(nonce, out UploadContent? content))
        {
            content.RequestRelease();
        }
    }

    /// <summary>A running append. Dispose it when the append has ended.</summary>
    public readonly struct Registration(ConcurrentDictionary<string, UploadContent> contents, KeyValuePair<string, UploadContent> entry) : IDisposable
    {
        public void Dispose() => contents.TryRemove(entry);
    }
}
