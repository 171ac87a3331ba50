using System.Buffers;
using System.IO.Pipelines;

namespace ResumableUploads.Engine.Content;

/// <content>Buffers a short body as a whole, so that its upload can be created in one step.</content>
internal sealed partial class RequestBodyReader
{
    private volatile bool _isBufferTimeoutElapsed;

    /// <summary>
    /// Whether the next read returns the last result again. All bytes were examined, so the inner reader would wait for more.
    /// </summary>
    private bool _isResultBuffered;

    /// <summary>
    /// Waits until a body of the specified length has arrived and is hashed. Consumes nothing: the next read returns the same bytes.
    /// </summary>
    /// <param name="length">The exact length of the body, in bytes.</param>
    /// <param name="timeout">The maximum time to wait.</param>
    /// <returns>The bytes, or <see langword="null"/> if the body ended early or the timeout elapsed.</returns>
    public async ValueTask<ReadOnlySequence<byte>?> TryBufferAsync(long length, TimeSpan timeout)
    {
        ITimer? timer = null;
        try
        {
            while (true)
            {
                ValueTask<ReadResult> read = ReadAsync(CancellationToken.None);
                timer ??= read.IsCompleted ? null
                    : _time.CreateTimer(static reader => ((RequestBodyReader)reader!).OnBufferTimeout(), this, timeout, Timeout.InfiniteTimeSpan);
                ReadResult result = await read;
                bool isWholeBody = result.Buffer.Length == length && EndReason is (BodyEndReason.NotEnded or BodyEndReason.EndOfBody);
                if (isWholeBody || result.IsCompleted || _isBufferTimeoutElapsed)
                {
                    _isResultBuffered = true;
                    _hasher?.Finish();
                    return isWholeBody ? result.Buffer : null;
                }

                AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
        finally
        {
            if (timer is not null)
            {
                await timer.DisposeAsync();
            }

            _isBufferTimeoutElapsed = false;
        }
    }

    private void OnBufferTimeout()
    {
        _isBufferTimeoutElapsed = true;
        WakePendingRead();
    }
}
