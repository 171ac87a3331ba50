using ResumableUploads.Client;
using ResumableUploads.Client.Protocols;

namespace ResumableUploads.UnitTests.Client;

public class ResponseClassifierTests
{
    private const string Mismatch = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset";

    [Theory]
    [InlineData(408, null, StepKind.Retry)]
    [InlineData(423, null, StepKind.Retry)]
    [InlineData(425, null, StepKind.Retry)]
    [InlineData(429, null, StepKind.Retry)]
    [InlineData(429, "too-many-uploads", StepKind.Retry)]
    [InlineData(500, null, StepKind.Retry)]
    [InlineData(502, null, StepKind.Retry)]
    [InlineData(503, "busy", StepKind.Retry)]
    [InlineData(503, "handler-failed", StepKind.Retry)]
    [InlineData(507, "storage-full", StepKind.Retry)]
    [InlineData(400, "interrupted", StepKind.Retry)]
    [InlineData(404, null, StepKind.Gone)]
    [InlineData(404, "not-found", StepKind.Gone)]
    [InlineData(410, null, StepKind.Gone)]
    [InlineData(413, null, StepKind.SendLess)]
    [InlineData(413, "append-too-large", StepKind.SendLess)]
    public void Error_that_is_no_failure_of_the_upload_continues_it(int status, string? problem, object kind)
    {
        Assert.Equal((StepKind)kind, ResponseClassifier.Classify(ClientResponses.Create(status, problem: problem), HeaderNames.UploadOffset).Kind);
    }

    [Theory]
    [InlineData(200, null, UploadFailureReason.UnexpectedResponse)]
    [InlineData(302, null, UploadFailureReason.SignedOut)]
    [InlineData(400, null, UploadFailureReason.Rejected)]
    [InlineData(400, "bad-metadata", UploadFailureReason.Rejected)]
    [InlineData(400, "taken-over", UploadFailureReason.TakenOver)]
    [InlineData(409, "taken-over", UploadFailureReason.TakenOver)]
    [InlineData(401, null, UploadFailureReason.SignedOut)]
    [InlineData(407, null, UploadFailureReason.SignedOut)]
    [InlineData(403, null, UploadFailureReason.Forbidden)]
    [InlineData(405, null, UploadFailureReason.NotSupported)]
    [InlineData(412, "tus-version", UploadFailureReason.NotSupported)]
    [InlineData(501, null, UploadFailureReason.NotSupported)]
    [InlineData(409, "different-content", UploadFailureReason.DifferentContent)]
    [InlineData(409, "different-request", UploadFailureReason.Rejected)]
    [InlineData(413, "too-large", UploadFailureReason.TooLarge)]
    [InlineData(413, "owner-quota", UploadFailureReason.QuotaExceeded)]
    [InlineData(400, "digest-mismatch", UploadFailureReason.DigestMismatch)]
    [InlineData(460, null, UploadFailureReason.DigestMismatch)]
    [InlineData(500, "parked", UploadFailureReason.Rejected)]
    [InlineData(422, null, UploadFailureReason.Rejected)]
    public void Final_error_has_a_reason(int status, string? problem, UploadFailureReason reason)
    {
        Step step = ResponseClassifier.Classify(ClientResponses.Create(status, problem: problem), HeaderNames.UploadOffset);
        Assert.Equal(StepKind.Failed, step.Kind);
        Assert.Equal(reason, step.Reason);
        Assert.Contains($"{status}", step.Message, StringComparison.Ordinal);
        if (problem is not null)
        {
            Assert.Contains("A detail", step.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Upload-Offset: 5", 5)]
    [InlineData("Upload-Offset: 5;a=b", 5)]
    [InlineData("Upload-Offset: -5", 7)]
    [InlineData("Upload-Offset: 5\nUpload-Offset: 6", 7)]
    [InlineData("", 7)]
    public void Offset_of_409_is_that_of_the_header_or_the_problem(string headers, long offset)
    {
        Step step = ResponseClassifier.Classify(ClientResponses.Create(409, headers, Mismatch), HeaderNames.UploadOffset);
        Assert.Equal((StepKind.AtOffset, offset), (step.Kind, step.Offset));
    }

    [Fact]
    public void Conflict_without_offset_is_retried() =>
        Assert.Equal(StepKind.Retry, ResponseClassifier.Classify(ClientResponses.Create(409), HeaderNames.UploadOffset).Kind);

    [Theory]
    [InlineData("Connection: close", StepKind.Retry)]
    [InlineData("", StepKind.Failed)]
    [InlineData("Connection: close\nContent-Type: text/plain", StepKind.Failed)]
    public void Bare_400_of_a_web_server_is_retried(string headers, object kind) =>
        Assert.Equal((StepKind)kind, ResponseClassifier.Classify(ClientResponses.Create(400, headers), HeaderNames.UploadOffset).Kind);

    [Fact]
    public void Page_after_a_redirect_names_its_URL()
    {
        Step step = ResponseClassifier.Classify(ClientResponses.Create(200, finalUri: new Uri("https://example.com/login?secret=1")), HeaderNames.UploadOffset);
        Assert.Equal(UploadFailureReason.SignedOut, step.Reason);
        Assert.Contains("https://example.com/login", step.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", step.Message, StringComparison.Ordinal);
    }
}
