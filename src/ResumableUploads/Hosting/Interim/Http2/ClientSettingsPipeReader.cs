using System.Buffers;
using System.IO.Pipelines;

namespace ResumableUploads.Hosting.Interim.Http2;

/// <summary>
/// Returns the input of a connection unchanged, and inspects it before the server reads it, so that the settings of the client are known before the
/// server applies them.
/// </summary>
internal sealed class ClientSettingsPipeReader(PipeReader inner, ClientSettingsTracker settings) : PipeReader
{
    private ReadOnlySequence<byte> _buffer;

    /// <summary>The number of bytes that were inspected but not consumed. The next read returns them again.</summary>
    private long _inspectedLength;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        settings.IsNotHttp2 ? inner.ReadAsync(cancellationToken) : ReadAndInspectAsync(cancellationToken);

    public override bool TryRead(out ReadResult result)
    {
        bool isRead = inner.TryRead(out result);
        if (isRead)
        {
            Inspect(result.Buffer);
        }

        return isRead;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!settings.IsNotHttp2)
        {
            _inspectedLength -= _buffer.Slice(0, consumed).Length;
            _buffer = default;
        }

        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    private async ValueTask<ReadResult> ReadAndInspectAsync(CancellationToken cancellationToken)
    {
        ReadResult result = await inner.ReadAsync(cancellationToken);
        Inspect(result.Buffer);
        return result;
    }

    private void Inspect(ReadOnlySequence<byte> buffer)
    {
        if (settings.IsNotHttp2)
        {
            return;
        }

        foreach (ReadOnlyMemory<byte> bytes in buffer.Slice(_inspectedLength))
        {
            settings.Process(bytes.Span);
        }

        _buffer = buffer;
        _inspectedLength = buffer.Length;
    }
}
