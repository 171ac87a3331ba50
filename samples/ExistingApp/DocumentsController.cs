using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Mvc;
using ResumableUploads;

namespace ExistingApp;

/// <summary>Shows a form and receives its submission.</summary>
[Route("/documents")]
public sealed class DocumentsController(SavedFiles saved) : Controller
{
    [HttpGet]
    public IActionResult Form() => View();

    [HttpPost]
    [ValidateAntiForgeryToken]
    [ResumableUpload(MaxUploadSize = 5L << 30)] // new
    public async Task<IActionResult> Save([Required, StringLength(100)] string title, IFormFile file, CancellationToken cancellationToken)
    {
        if (!ModelState.IsValid)
        {
            Response.StatusCode = StatusCodes.Status400BadRequest;
            return View(nameof(Form));
        }

        await using Stream content = file.OpenReadStream();
        SavedFile document = await saved.SaveAsync(content, cancellationToken);
        return View("Saved", new SavedDocument(title, file.FileName, document));
    }
}

/// <summary>The submitted title and the saved file.</summary>
public sealed record SavedDocument(string Title, string FileName, SavedFile File);
