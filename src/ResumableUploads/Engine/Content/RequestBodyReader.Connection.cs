using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;

namespace ResumableUploads.Engine.Content;

/// <content>Reads the bytes that the server has received, but does not return because the client has closed the connection.</content>
internal sealed partial class RequestBodyReader
{
    private bool _isReadingConnection;

    /// <summary>Whether the last call of AdvanceTo examined bytes that it did not consume. If the next read throws, Kestrel expects another call.</summary>
    private bool _hasExaminedUnconsumed;

    /// <summary>Gets the reader of the connection that transports the body, or <see langword="null"/> if the body is not a plain part of it.</summary>
    public PipeReader? Connection { get; init; }

    /// <summary>Gets the length of the body, in bytes, if there is a <see cref="Connection"/>.</summary>
    public long BodyLength { get; init; } = long.MaxValue;

    /// <summary>
    /// Reads the rest of the connection. If the client closes the connection within a body with <c>Content-Length</c>, Kestrel throws, and leaves the bytes
    /// that it has received and not returned in the connection.
    /// </summary>
    [SuppressMessage("Design", "CA1031", Justification = "Without access to the connection, the body ends with the bytes that were read.")]
    private void ReadConnection(PipeReader connection)
    {
        try
        {
            if (_hasExaminedUnconsumed && !_unconsumed.IsEmpty)
            {
                _inner.AdvanceTo(_unconsumed.Start, _unconsumed.End);
            }

            if (!connection.TryRead(out ReadResult result))
            {
                return;
            }

            if (!result.IsCompleted)
            {
                // The client has not closed the connection, so the server still reads it.
                connection.AdvanceTo(result.Buffer.Start);
                return;
            }

            _isReadingConnection = true;
            long length = Math.Min(result.Buffer.Length, BodyLength - ConsumedLength);
            ProcessRead(new ReadResult(result.Buffer.Slice(0, length), isCanceled: false, isCompleted: length == BodyLength - ConsumedLength));
        }
        catch (Exception)
        {
            // The connection was reset, so its bytes are lost.
        }
    }
}
