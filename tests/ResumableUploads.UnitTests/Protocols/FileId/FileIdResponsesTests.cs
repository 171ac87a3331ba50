using System.Text;
using System.Text.Json;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads.UnitTests.Protocols.FileId;

/// <summary>The response to each result (docs/protocols/file-id.md#errors).</summary>
public class FileIdResponsesTests
{
    private const string Own = "urn:resumable-uploads:";
    private const string Registered = "https://iana.org/assignments/http-problem-types#";

    /// <summary>The result, the status, the problem type (null if the response is not a problem), Retry-After and X-Upload-Complete.</summary>
    public static readonly TheoryData<string, int, string?, string?, string?> Table = new()
    {
        { "Appended", 200, null, null, "false" },
        { "Completed", 200, null, null, "true" },
        { "Replayed", 200, null, null, "true" },
        { "Cancelled", 204, null, null, null },
        { "NotFound", 409, Registered + "mismatching-upload-offset", null, null },
        { "DifferentRequest", 409, Own + "different-request", null, null },
        { "OffsetMismatch", 409, Registered + "mismatching-upload-offset", null, null },
        { "AlreadyComplete", 409, Own + "upload-complete", null, "true" },
        { "DifferentContent", 409, Own + "different-content", null, "true" },
        { "ContentCodingMismatch", 415, Own + "content-coding", null, null },
        { "LengthConflict", 400, Registered + "inconsistent-upload-length", null, null },
        { "LengthExceeded", 413, Own + "upload-length-exceeded", null, null },
        { "UploadTooLarge", 413, Own + "too-large", null, null },
        { "AppendTooLarge", 413, Own + "append-too-large", null, null },
        { "DigestMismatch", 400, Own + "digest-mismatch", null, null },
        { "DigestMissing", 400, Own + "digest-mismatch", null, null },
        { "ReprDigestMismatch", 400, Own + "digest-mismatch", null, null },
        { "DigestUnsupported", 413, Own + "digest-too-large", null, null },
        { "Preempted", 409, Own + "taken-over", null, null },
        { "Interrupted", 400, Own + "interrupted", null, null },
        { "IdleTimeout", 408, Own + "idle", null, null },
        { "BelowMinDataRate", 408, Own + "too-slow", null, null },
        { "ShuttingDown", 503, Own + "shutting-down", "1", null },
        { "Busy", 503, Own + "busy", "1", null },
        { "HandlerRunning", 503, Own + "still-completing", "5", null },
        { "HandlerFailed", 503, Own + "handler-failed", "10", null },
        { "DeadLettered", 500, Own + "parked", null, null },
        { "ConcatenationNotAppendable", 403, Own + "joined", null, null },
        { "PartNotFound", 400, Own + "part-missing", null, null },
        { "Rejected", 418, Own + "refused", null, null },
        { "PermitUsed", 403, Own + "ticket-used", null, null },
        { "MetadataTooLarge", 431, Own + "headers-too-large", null, null },
        { "TooManyUploads", 429, Own + "too-many-uploads", "60", null },
        { "TooManyAppends", 429, Own + "too-many-requests", "5", null },
        { "OwnerQuotaExceeded", 413, Own + "owner-quota", null, null },
        { "StorageFull", 507, Own + "storage-full", "30", null },
        { "StorageFailed", 503, Own + "storage-failed", "5", null },
    };

    [Fact]
    public void Table_contains_every_result_kind() =>
        Assert.Equal(Enum.GetNames<UploadResultKind>().Order(), Table.Select(static row => row.Data.Item1).Order());

    [Theory]
    [MemberData(nameof(Table))]
    public void Result_kind_is_mapped_to_its_response(string kind, int status, string? type, string? retryAfter, string? complete)
    {
        HttpResponseData response = FileIdResponses.For(CreateResult(kind));
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("no-store", response.GetHeader("Cache-Control"));
        Assert.Equal(retryAfter, response.GetHeader("Retry-After"));
        Assert.Equal(complete, response.GetHeader("X-Upload-Complete"));
        if (type is null)
        {
            Assert.NotEqual(Problem.ContentType, response.ContentType);
            return;
        }

        Assert.Equal(Problem.ContentType, response.ContentType);
        using JsonDocument json = JsonDocument.Parse(response.Body);
        Assert.Equal((type, status), (json.RootElement.GetProperty("type").GetString(), json.RootElement.GetProperty("status").GetInt32()));
        Assert.NotEqual("", json.RootElement.GetProperty("title").GetString());
        Assert.NotEqual("", json.RootElement.GetProperty("detail").GetString());

        // The current offset is both in the header and in the problem, or in neither.
        long expected = kind == "NotFound" ? 0 : 7;
        Assert.Equal(expected.ToString(), response.GetHeader("X-Start-Byte"));
        Assert.Equal(expected, json.RootElement.GetProperty("expected-offset").GetInt64());
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void Problem_with_unknown_offset_has_no_offset(string kind, int status, string? type, string? retryAfter, string? complete)
    {
        _ = (status, retryAfter, complete);
        if (type is null || kind == "NotFound")
        {
            return;
        }

        HttpResponseData response = FileIdResponses.For(CreateResult(kind) with { Offset = null });
        Assert.Null(response.GetHeader("X-Start-Byte"));
        using JsonDocument json = JsonDocument.Parse(response.Body);
        Assert.False(json.RootElement.TryGetProperty("expected-offset", out _));
    }

    [Theory]
    [InlineData("OffsetMismatch", true)]
    [InlineData("NotFound", true)]
    [InlineData("AlreadyComplete", false)]
    [InlineData("UploadTooLarge", false)]
    public void Problem_repeats_provided_offset_only_on_mismatch(string kind, bool isExpected)
    {
        Problem problem = FileIdResponses.CreateProblem(CreateResult(kind) with { ProvidedOffset = 3 });
        Assert.Equal(isExpected ? 3 : null, problem.ProvidedOffset);
    }

    [Fact]
    public void Response_to_append_is_the_offset_as_text()
    {
        HttpResponseData response = FileIdResponses.For(new UploadResult(UploadResultKind.Appended, long.MaxValue));
        Assert.Equal("9223372036854775807", Encoding.ASCII.GetString(response.Body.Span));
        Assert.Equal(("text/plain", "9223372036854775807"), (response.ContentType, response.GetHeader("X-Start-Byte")));
    }

    [Fact]
    public void Response_of_application_is_sent_unchanged()
    {
        ReadOnlyMemory<byte> stored = new StoredResponse(201, "application/json", "{}"u8.ToArray()).ToBytes();
        HttpResponseData response = FileIdResponses.For(new UploadResult(UploadResultKind.Completed, 7) { Response = stored });
        Assert.Equal((201, "application/json", "{}"), (response.StatusCode, response.ContentType, Encoding.ASCII.GetString(response.Body.Span)));
        Assert.Equal(("7", "true"), (response.GetHeader("X-Start-Byte"), response.GetHeader("X-Upload-Complete")));
    }

    [Fact]
    public void Retryable_response_of_application_is_marked_incomplete()
    {
        ReadOnlyMemory<byte> said = new StoredResponse(503, "text/plain", "later"u8.ToArray()).ToBytes();
        HttpResponseData response = FileIdResponses.For(new UploadResult(UploadResultKind.HandlerFailed, 7) { Response = said });
        Assert.Equal((503, "later", "false"), (response.StatusCode, Encoding.ASCII.GetString(response.Body.Span), response.GetHeader("X-Upload-Complete")));
    }

    [Fact]
    public void UploadTooLarge_detail_contains_the_maximum() =>
        Assert.Contains("1234", FileIdResponses.CreateProblem(new UploadResult(UploadResultKind.UploadTooLarge) { MaxUploadSize = 1234 }).Detail, StringComparison.Ordinal);

    [Fact]
    public void Rejected_detail_is_the_text_of_the_application() =>
        Assert.Equal("no teapots", FileIdResponses.CreateProblem(CreateResult("Rejected")).Detail);

    [Theory]
    [InlineData(0, false)]
    [InlineData(12, true)]
    public void Status_is_the_offset_as_text_and_header(long offset, bool isComplete)
    {
        HttpResponseData response = FileIdResponses.ForStatus(new UploadInfo
        {
            Key = new UploadKey("o", "i"),
            Version = "v",
            Offset = offset,
            Record = new UploadRecord { State = isComplete ? UploadState.Received : UploadState.Receiving },
            LastModified = DateTimeOffset.UnixEpoch,
        });
        Assert.Equal((200, "text/plain", offset.ToString()), (response.StatusCode, response.ContentType, Encoding.ASCII.GetString(response.Body.Span)));
        Assert.Equal((offset.ToString(), isComplete ? "true" : "false"), (response.GetHeader("X-Start-Byte"), response.GetHeader("X-Upload-Complete")));
        Assert.Equal("no-store", response.GetHeader("Cache-Control"));
    }

    private static UploadResult CreateResult(string kind) => new(Enum.Parse<UploadResultKind>(kind), 7)
    {
        ProvidedOffset = 3,
        MaxUploadSize = 10,
        Rejection = new Rejection(418, "no teapots"),
    };
}
