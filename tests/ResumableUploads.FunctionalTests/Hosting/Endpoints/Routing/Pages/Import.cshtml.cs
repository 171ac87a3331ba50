using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Routing.Pages;

[ResumableUpload, IgnoreAntiforgeryToken]
public sealed class ImportModel : PageModel
{
    [BindProperty]
    public string? Title { get; set; }

    public string Message { get; private set; } = "nothing yet";

    public void OnGet()
    {
    }

    public async Task OnPostAsync(IFormFile file, string album)
    {
        using var reader = new StreamReader(file.OpenReadStream());
        Message = $"{album} {Title} {(await reader.ReadToEndAsync()).Length}";
    }
}
