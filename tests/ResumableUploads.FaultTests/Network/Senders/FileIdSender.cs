using System.Globalization;
using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Network.Lines;

namespace ResumableUploads.FaultTests.Network.Senders;

/// <summary>A client of the file-id protocol.</summary>
internal sealed class FileIdSender(IUploadServer server, string name, byte[] content, Random random, FaultCounts counts)
    : Sender(server, name, content, random, counts)
{
    /// <summary>Without a declared size each body contains the whole rest.</summary>
    private readonly bool _hasSize = random.Next(3) > 0;

    public override UploadKey? Key => NetworkApp.KeyOfFile(Server.Scope, Name);

    public override async Task<ReportedStatus?> AskAsync(IWire wire, TimeSpan timeout)
    {
        string method = Random.Next(2) == 0 ? "GET" : "HEAD";
        WireResponse response = await SendAsync(wire, timeout, method, Server.StatusPath, [("X-File-Id", Name)]);
        if (response.Status is null || IsCutOrLater(response))
        {
            return null;
        }

        if (response.Status != 200 || response.Number("X-Start-Byte") is not { } offset || (method == "GET" && response.Body != offset.ToString(CultureInfo.InvariantCulture)))
        {
            throw Unexpected(method, response);
        }

        await CheckOffsetAsync(offset);
        return new ReportedStatus(offset, response.Header("X-Upload-Complete") == "true");
    }

    protected override async Task<Ending?> StepAsync(IWire wire, TimeSpan timeout)
    {
        if (At is not { } at)
        {
            At = (await AskAsync(wire, timeout))?.Offset;
            return null;
        }

        Range chunk = _hasSize ? Chunk(at) : (int)at..Content.Length;
        WireResponse response = await SendAsync(
            wire, timeout, "POST", NetworkApp.Path,
            [
                ("X-File-Id", Name), ("X-File-Name", Name), ("X-Start-Byte", at.ToString(CultureInfo.InvariantCulture)),
                .. _hasSize ? [("X-File-Size", Content.Length.ToString(CultureInfo.InvariantCulture))] : ((string, string)[])[],
                .. DigestOf(chunk, static digest => ("Content-Digest", $"sha-256=:{digest}:")),
            ],
            chunk);
        switch (response.Status)
        {
            case null:
                Lost();
                return null;
            case 200 or 204 when response.Header("X-Upload-Complete") is { } complete:
                await TakenAsync(response.Number("X-Start-Byte"), chunk);
                return complete == "true" ? Ending.Done : null;
            case 409 when response.Number("X-Start-Byte") is { } truth:
                await CheckOffsetAsync(truth);
                At = truth;
                return null;
            case 413 when IsTooLarge:
                await RefusedAsync(response, "X-Start-Byte");
                return Ending.Refused;
            case not null when IsCutOrLater(response):
                await RefusedAsync(response, "X-Start-Byte");
                return null;
            default:
                throw Unexpected("POST", response);
        }
    }
}
