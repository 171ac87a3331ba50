using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ResumableUploads.Hosting.Requests.Bodies;

/// <summary>
/// The body of a request with <c>Expect: 100-continue</c>. The first read makes the server send "100 Continue", so this class remembers whether the body
/// was read: otherwise the client has not sent it.
/// </summary>
internal sealed class ExpectContinueBodyReader : PipeReader, IRequestBodyPipeFeature
{
    private readonly PipeReader _inner;

    private ExpectContinueBodyReader(PipeReader inner) => _inner = inner;

    public PipeReader Reader => this;

    private bool HasBeenRead { get; set; }

    /// <summary>Wraps the body of a request whose client waits for "100 Continue".</summary>
    public static void Install(HttpContext context)
    {
        if (HttpProtocol.IsHttp11(context.Request.Protocol) && context.Request.Headers.Expect.Count > 0)
        {
            context.Features.Set<IRequestBodyPipeFeature>(new ExpectContinueBodyReader(context.Request.BodyReader));
        }
    }

    /// <summary>Returns the body of the server.</summary>
    public static PipeReader Unwrap(PipeReader body) => body is ExpectContinueBodyReader reader ? reader._inner : body;

    /// <summary>Returns whether the client still waits for "100 Continue".</summary>
    public static bool IsAwaitingContinue(HttpContext context) => context.Features.Get<IRequestBodyPipeFeature>() is ExpectContinueBodyReader { HasBeenRead: false };

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        HasBeenRead = true;
        return _inner.ReadAsync(cancellationToken);
    }

    public override bool TryRead(out ReadResult result)
    {
        HasBeenRead = true;
        return _inner.TryRead(out result);
    }

    public override void AdvanceTo(SequencePosition consumed) => _inner.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => _inner.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => _inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => _inner.Complete(exception);
}
