using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Equality;

[ApiController]
[Route("mvc")]
public sealed class EchoController : ControllerBase
{
    [HttpPost("{album}"), ResumableUpload]
    public async Task<IResult> UploadAsync(string album, IFormFile file, [FromForm] string title, [FromQuery] int page) =>
        Echo.Of(HttpContext, $"{album} {title} {page} {file.FileName} {file.Name} {await EchoApp.DigestAsync(file.OpenReadStream())}");

    [HttpPost("json/{album}"), ResumableUpload]
    public ActionResult<string[]> Json(string album, [FromBody] string[] names)
    {
        Response.Headers.ETag = "\"mvc\"";
        return CreatedAtAction(nameof(Json), new { album }, names.Reverse().Append(album).ToArray());
    }
}
