using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using ResumableUploads.Abstractions;

namespace ResumableUploads.FaultTests.Network;

/// <summary>A way in which a server is broken on purpose.</summary>
internal enum Broken
{
    Nothing,

    /// <summary>The server ignores offsets and appends every chunk at the end.</summary>
    IgnoresOffsets,

    /// <summary>The store sometimes reports one byte too many.</summary>
    ReportsExtraByte,

    /// <summary>The store sometimes drops the last byte of a chunk but reports it.</summary>
    DropsLastByte,

    /// <summary>The store sometimes changes the last byte.</summary>
    ChangesLastByte,

    /// <summary>The handler sometimes runs twice.</summary>
    RunsHandlerTwice,
}

/// <summary>A store that violates its contract.</summary>
internal sealed class MisbehavingStore(IUploadStore innerStore, Broken broken) : DelegatingUploadStore(innerStore)
{
    private readonly ConcurrentDictionary<UploadKey, int> _dropped = new();
    private int _statusRequests;
    private int _appends;

    public override async ValueTask<AppendResult> AppendAsync(UploadKey key, long offset, UploadContent content, AppendMode mode, CancellationToken cancellationToken)
    {
        bool isWrong = broken is Broken.DropsLastByte or Broken.ChangesLastByte && mode == AppendMode.KeepPartial && Interlocked.Increment(ref _appends) % 5 == 0;
        int dropped = _dropped.GetValueOrDefault(key);
        var kept = isWrong ? await OtherContent.ReadAsync(content, broken == Broken.DropsLastByte) : null;
        AppendResult result = await base.AppendAsync(key, offset - dropped, kept ?? content, mode, cancellationToken);
        if (kept is { Dropped: > 0 } && result.Status == AppendStatus.Appended)
        {
            dropped = _dropped.AddOrUpdate(key, 1, static (_, count) => count + 1);
        }

        return result with { Offset = result.Offset + dropped };
    }

    public override async ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken)
    {
        UploadInfo? info = WithDroppedBytes(key, await InnerStore.GetAsync(key, cancellationToken));
        return broken == Broken.ReportsExtraByte && info is { State: UploadState.Receiving, Offset: > 0 } && Interlocked.Increment(ref _statusRequests) % 5 == 0
            ? info with { Offset = info.Offset + 1 }
            : info;
    }

    public override async ValueTask<UpdateResult> UpdateAsync(UploadKey key, string version, UploadRecord record, CancellationToken cancellationToken)
    {
        UpdateResult result = await InnerStore.UpdateAsync(key, version, record, cancellationToken);
        return result with { Info = WithDroppedBytes(key, result.Info) };
    }

    private UploadInfo? WithDroppedBytes(UploadKey key, UploadInfo? info) => info is null ? null : info with { Offset = info.Offset + _dropped.GetValueOrDefault(key) };

    /// <summary>Content without its last byte.</summary>
    private sealed class OtherContent(UploadContent inner, byte[] bytes, int dropped) : UploadContent
    {
        public int Dropped => dropped;

        public override PipeReader Reader { get; } = PipeReader.Create(new ReadOnlySequence<byte>(bytes));

        public static async Task<OtherContent> ReadAsync(UploadContent content, bool drops)
        {
            var all = new ArrayBufferWriter<byte>();
            ReadResult read;
            do
            {
                read = await content.Reader.ReadAsync(CancellationToken.None);
                foreach (ReadOnlyMemory<byte> part in read.Buffer)
                {
                    all.Write(part.Span);
                }

                content.Reader.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);

            byte[] bytes = all.WrittenSpan.ToArray();
            if (bytes.Length > 0 && !drops)
            {
                bytes[^1] ^= 1;
            }

            int dropped = drops && bytes.Length > 0 ? 1 : 0;
            return new OtherContent(content, bytes[..^dropped], dropped);
        }

        public override void ReportDurable(long durableOffset) => inner.ReportDurable(durableOffset);

        public override ValueTask<bool> ShouldCommitAsync(CancellationToken cancellationToken) => inner.ShouldCommitAsync(cancellationToken);

        public override bool CanAppendTo(UploadRecord record) => inner.CanAppendTo(record);

        public override void RequestRelease() => inner.RequestRelease();
    }
}
