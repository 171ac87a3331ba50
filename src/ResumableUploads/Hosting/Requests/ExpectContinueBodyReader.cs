using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ResumableUploads.Hosting.Requests;

/// <summary>
/// The body of a request whose client sends it only after "100 Continue". The first read makes the server send that, so this remembers
/// whether there was one: only then a body is on its way.
/// </summary>
internal sealed class ExpectContinueBodyReader : PipeReader, IRequestBodyPipeFeature
{
    private readonly PipeReader _inner;

    private ExpectContinueBodyReader(PipeReader inner) => _inner = inner;

    public PipeReader Reader => this;

    private bool HasBeenRead { get; set; }

    /// <summary>Puts itself before the body, if its client waits to be asked for it.</summary>
    public static void Install(HttpContext context)
    {
        if (HttpProtocol.IsHttp11(context.Request.Protocol) && context.Request.Headers.Expect.Count > 0)
        {
            context.Features.Set<IRequestBodyPipeFeature>(new ExpectContinueBodyReader(context.Request.BodyReader));
        }
    }

    /// <summary>Whether the client of this request waits to be asked, and was not.</summary>
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
