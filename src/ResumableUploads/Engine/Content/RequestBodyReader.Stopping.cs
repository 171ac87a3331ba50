using System.Diagnostics.CodeAnalysis;

namespace ResumableUploads.Engine.Content;

/// <content>Ends a body, or wakes its pending read, from another thread.</content>
internal sealed partial class RequestBodyReader
{
    /// <summary>Held while another thread uses the inner reader, so that none does so after the end of the body or <see cref="Dispose"/>.</summary>
    private readonly Lock _stopLock = new();

    private volatile BodyEndReason _requestedStop;
    private bool _isDisposed;

    private bool IsStopRequested => _requestedStop != BodyEndReason.NotEnded;

    /// <summary>Gets whether this class has canceled the pending read of the inner reader, and not the server.</summary>
    private bool IsWakeupRequested => IsStopRequested || _isBufferTimeoutElapsed;

    /// <summary>
    /// Ends the body after the bytes that have already arrived. Only the first reason counts. May be called from any thread, also after the body has ended.
    /// </summary>
    public void RequestStop(BodyEndReason reason)
    {
        lock (_stopLock)
        {
            if (_isDisposed || HasEnded || IsStopRequested)
            {
                return;
            }

            // The store may not read again, so the end must not wait for that.
            _requestedStop = reason;
            _onEndingEarly();
            WakePendingRead();
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Any exception means that the request has already ended.")]
    private void WakePendingRead()
    {
        lock (_stopLock)
        {
            if (_isDisposed || HasEnded)
            {
                // The server may use its reader for the next request of the connection.
                return;
            }

            try
            {
                _inner.CancelPendingRead();
            }
            catch (Exception)
            {
                // Kestrel throws the reason why the request was aborted. The pending read has ended with it, and the caller, which may
                // be another request, is not affected.
            }
        }
    }
}
