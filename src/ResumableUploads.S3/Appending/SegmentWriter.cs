using ResumableUploads.S3.State;
using ResumableUploads.S3.Storage;

namespace ResumableUploads.S3.Appending;

/// <summary>Writes the segments of one append. While a segment is sent, the next one is filled.</summary>
/// <param name="context">The parts of the store.</param>
/// <param name="folder">The folder of the upload.</param>
/// <param name="epoch">The epoch of the append.</param>
internal sealed class SegmentWriter(StoreContext context, string folder, int epoch)
{
    private const int MaxRequests = 2;

    private readonly Queue<(SegmentRun Segment, Task Request)> _requests = new();
    private readonly List<string> _started = [];
    private SegmentBuffer _buffer = new();
    private int _count;

    /// <summary>Gets the names of all segments that were started.</summary>
    public IReadOnlyList<string> Started => _started;

    /// <summary>Gets the segments that are stored, and that no state names as far as is known.</summary>
    public List<SegmentRun> Stored { get; } = [];

    public long StoredLength => Stored.Sum(static run => run.TotalLength);

    /// <summary>Copies bytes, and starts to send each segment that is full.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="waitAsync">Waits for a task of this writer.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, Func<Task, Task> waitAsync, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
        {
            if (_buffer.NeedsBlock)
            {
                await AddBlockAsync(waitAsync, cancellationToken);
            }

            int capacity = (int)Math.Min(bytes.Length, context.Options.SegmentSize - _buffer.Length);
            bytes = bytes[_buffer.Append(bytes.Span[..capacity])..];
            if (_buffer.Length == context.Options.SegmentSize)
            {
                await StartAsync(waitAsync, cancellationToken);
            }
        }
    }

    /// <summary>Sends what is in memory, and waits until all segments are stored.</summary>
    /// <inheritdoc cref="WriteAsync"/>
    public async ValueTask FlushAsync(Func<Task, Task> waitAsync, CancellationToken cancellationToken)
    {
        if (_buffer.Length > 0)
        {
            await StartAsync(waitAsync, cancellationToken);
        }

        while (_requests.Count > 0)
        {
            await FinishFirstAsync(waitAsync);
        }
    }

    /// <summary>Forgets the stored segments, which a state names.</summary>
    public void ClearStored() => Stored.Clear();

    /// <summary>Waits for all requests, whatever their result, and returns the memory.</summary>
    public async ValueTask EndAsync()
    {
        _buffer.Return(context.Budget);
        _buffer = new SegmentBuffer();
        bool failed = false;
        while (_requests.TryDequeue(out (SegmentRun Segment, Task Request) first))
        {
            await first.Request.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            failed |= !first.Request.IsCompletedSuccessfully;
            if (!failed)
            {
                Stored.Add(first.Segment);
            }
        }
    }

    private async ValueTask AddBlockAsync(Func<Task, Task> waitAsync, CancellationToken cancellationToken)
    {
        byte[]? block = context.Budget.TryRent();
        if (block is null)
        {
            // The budget is used up. Appends that wait hold no memory, so that they cannot wait for each other.
            await FlushAsync(waitAsync, cancellationToken);
            Task<byte[]> rented = context.Budget.RentAsync(cancellationToken);
            try
            {
                await waitAsync(rented);
            }
            catch
            {
                _ = rented.ContinueWith(static (task, budget) => ((BufferBudget)budget!).Return([task.Result]), context.Budget,
                    CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
                throw;
            }

            block = await rented;
        }

        _buffer.AddBlock(block);
    }

    private async ValueTask StartAsync(Func<Task, Task> waitAsync, CancellationToken cancellationToken)
    {
        if (_requests.Count == MaxRequests)
        {
            await FinishFirstAsync(waitAsync);
        }

        SegmentBuffer full = _buffer;
        _buffer = new SegmentBuffer();
        int number = _count++;
        string name = SegmentRun.GetName(epoch, number);
        _started.Add(name);
        _requests.Enqueue((new SegmentRun(epoch, number, 1, full.Length), SendAsync(context.Keys.GetObject(folder, name), full, cancellationToken)));
    }

    private async ValueTask FinishFirstAsync(Func<Task, Task> waitAsync)
    {
        (SegmentRun segment, Task request) = _requests.Peek();
        await waitAsync(request);
        await request;
        _requests.Dequeue();
        Stored.Add(segment);
    }

    private async Task SendAsync(string key, SegmentBuffer buffer, CancellationToken cancellationToken)
    {
        try
        {
            using var content = new ReadOnlySequenceStream(buffer.Bytes);
            await context.Storage.PutAsync(key, content, cancellationToken);
        }
        finally
        {
            buffer.Return(context.Budget);
        }
    }
}
