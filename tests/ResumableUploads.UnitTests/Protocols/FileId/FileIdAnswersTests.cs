using System.Text;
using System.Text.Json;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.FileId;

namespace ResumableUploads.UnitTests.Protocols.FileId;

/// <summary>The table of answers, cell by cell.</summary>
public class FileIdAnswersTests
{
    private const string Own = "urn:resumable-uploads:";
    private const string Registered = "https://iana.org/assignments/http-problem-types#";

    /// <summary>Outcome, status, type, Retry-After, X-Upload-Complete. Type null: no problem.</summary>
    public static readonly TheoryData<string, int, string?, string?, string?> Table = new()
    {
        { "Appended", 200, null, null, "false" },
        { "Completed", 200, null, null, "true" },
        { "Replayed", 200, null, null, "true" },
        { "Cancelled", 204, null, null, null },
        { "NotFound", 409, Registered + "mismatching-upload-offset", null, null },
        { "OffsetMismatch", 409, Registered + "mismatching-upload-offset", null, null },
        { "AlreadyComplete", 409, Own + "upload-complete", null, "true" },
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
        { "MetadataTooLarge", 431, Own + "headers-too-large", null, null },
        { "TooManyUploads", 429, Own + "too-many-uploads", "60", null },
        { "TooManyAppends", 429, Own + "too-many-requests", "5", null },
        { "OwnerQuotaExceeded", 413, Own + "owner-quota", null, null },
        { "StorageFull", 507, Own + "storage-full", "30", null },
        { "StorageFailed", 503, Own + "storage-failed", "5", null },
    };

    [Fact]
    public void Every_outcome_has_its_row() =>
        Assert.Equal(Enum.GetNames<UploadResultKind>().Order(), Table.Select(static row => row.Data.Item1).Order());

    [Theory]
    [MemberData(nameof(Table))]
    public void Each_outcome_has_its_answer(string kind, int status, string? type, string? retryAfter, string? complete)
    {
        HttpResponseData response = FileIdResponses.For(Outcome(kind));
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

        // The true number stands in the header and in the problem, or in neither.
        long expected = kind == "NotFound" ? 0 : 7;
        Assert.Equal(expected.ToString(), response.GetHeader("X-Start-Byte"));
        Assert.Equal(expected, json.RootElement.GetProperty("expected-offset").GetInt64());
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void Where_the_offset_is_not_known_no_number_is_made_up(string kind, int status, string? type, string? retryAfter, string? complete)
    {
        _ = (status, retryAfter, complete);
        if (type is null || kind == "NotFound")
        {
            return;
        }

        HttpResponseData response = FileIdResponses.For(Outcome(kind) with { Offset = null });
        Assert.Null(response.GetHeader("X-Start-Byte"));
        using JsonDocument json = JsonDocument.Parse(response.Body);
        Assert.False(json.RootElement.TryGetProperty("expected-offset", out _));
    }

    [Theory]
    [InlineData("OffsetMismatch", true)]
    [InlineData("NotFound", true)]
    [InlineData("AlreadyComplete", false)]
    [InlineData("UploadTooLarge", false)]
    public void The_number_that_was_sent_is_repeated_where_it_was_wrong(string kind, bool isThere)
    {
        Problem problem = FileIdResponses.ProblemFor(Outcome(kind) with { ProvidedOffset = 3 });
        Assert.Equal(isThere ? 3 : null, problem.ProvidedOffset);
    }

    [Fact]
    public void F7_the_number_is_the_text_and_nothing_else()
    {
        HttpResponseData response = FileIdResponses.For(new UploadResult(UploadResultKind.Appended, long.MaxValue));
        Assert.Equal("9223372036854775807", Encoding.ASCII.GetString(response.Body.Span));
        Assert.Equal(("text/plain", "9223372036854775807"), (response.ContentType, response.GetHeader("X-Start-Byte")));
    }

    [Fact]
    public void F7_what_the_application_answered_is_sent_as_it_is()
    {
        ReadOnlyMemory<byte> stored = new StoredResponse(201, "application/json", "{}"u8.ToArray()).ToBytes();
        HttpResponseData response = FileIdResponses.For(new UploadResult(UploadResultKind.Completed, 7) { Response = stored });
        Assert.Equal((201, "application/json", "{}"), (response.StatusCode, response.ContentType, Encoding.ASCII.GetString(response.Body.Span)));
        Assert.Equal(("7", "true"), (response.GetHeader("X-Start-Byte"), response.GetHeader("X-Upload-Complete")));
    }

    [Fact]
    public void F7_an_answer_that_says_later_does_not_say_complete()
    {
        ReadOnlyMemory<byte> said = new StoredResponse(503, "text/plain", "later"u8.ToArray()).ToBytes();
        HttpResponseData response = FileIdResponses.For(new UploadResult(UploadResultKind.HandlerFailed, 7) { Response = said });
        Assert.Equal((503, "later", "false"), (response.StatusCode, Encoding.ASCII.GetString(response.Body.Span), response.GetHeader("X-Upload-Complete")));
    }

    [Fact]
    public void The_largest_size_is_told_to_who_sends_too_much() =>
        Assert.Contains("1234", FileIdResponses.ProblemFor(new UploadResult(UploadResultKind.UploadTooLarge) { MaxUploadSize = 1234 }).Detail, StringComparison.Ordinal);

    [Fact]
    public void The_words_of_a_refusal_are_the_applications() =>
        Assert.Equal("no teapots", FileIdResponses.ProblemFor(Outcome("Rejected")).Detail);

    [Theory]
    [InlineData(0, false)]
    [InlineData(12, true)]
    public void A_status_is_the_number_as_text_and_header(long offset, bool isComplete)
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

    private static UploadResult Outcome(string kind) => new(Enum.Parse<UploadResultKind>(kind), 7)
    {
        ProvidedOffset = 3,
        MaxUploadSize = 10,
        Rejection = new Rejection(418, "no teapots"),
    };
}
