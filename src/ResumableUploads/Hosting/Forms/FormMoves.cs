using System.Collections.Concurrent;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Hosting.Forms;

/// <summary>
/// The uploads of forms whose content is being moved. A store returns the path of an earlier move again, because the call can be repeated after a crash. If a
/// form is sent twice at the same time, both requests would receive the same file.
/// </summary>
internal sealed class FormMoves
{
    private readonly ConcurrentDictionary<UploadKey, byte> _running = new();

    /// <summary>Begins a move, which ends when the result is disposed.</summary>
    /// <exception cref="InvalidOperationException">Another call is moving the content.</exception>
    public IDisposable Begin(UploadKey key) => _running.TryAdd(key, 0)
        ? new Move(_running, key)
        : throw new InvalidOperationException($"Another call is moving the content of upload {key}. The form was probably sent twice.");

    private sealed class Move(ConcurrentDictionary<UploadKey, byte> running, UploadKey key) : IDisposable
    {
        public void Dispose() => running.TryRemove(key, out _);
    }
}
